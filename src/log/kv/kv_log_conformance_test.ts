import { testCommitLog } from "../_conformance.ts";
import { testedKvLog } from "../_testing.ts";

testCommitLog("memory", () => testedKvLog("memory"));
testCommitLog("file", () => testedKvLog("file"));
