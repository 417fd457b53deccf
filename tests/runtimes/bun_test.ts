import { testRuntime } from "./suite.ts";

testRuntime("Bun");
