import { testRuntime } from "./suite.ts";

testRuntime("Node 20");
