import { checkAgreement } from "./check-agreement.ts";
import { checkCatches } from "./check-catches.ts";
import { checkChangeFiles } from "./check-change-files.ts";
import { checkConstructs } from "./check-constructs.ts";
import { checkExports } from "./check-exports.ts";
import { checkGenerated } from "./check-generated.ts";
import { checkNames } from "./check-names.ts";
import { checkPackages } from "./check-packages.ts";
import { checkPorts } from "./check-ports.ts";
import { checkSizes } from "./check-sizes.ts";
import { checkTests } from "./check-tests.ts";
import { checkWireNames } from "./check-wire-names.ts";
import { errorCodes, metricNames, routeNames, variableNames } from "./names-in-code.ts";
import { PACKAGE_FOLDERS, TEST_PACKAGE_FOLDERS } from "./package-folders.ts";
import { PORTS } from "./ports.ts";
import type { Check } from "./project.ts";

export const checkErrorCodes = checkAgreement({
  subject: "error codes",
  page: "docs/errors.md",
  form: /^[A-Z]+(?:_[A-Z]+)*$/,
  namesInCode: errorCodes,
});

export const checkVariables = checkAgreement({
  subject: "variables",
  page: "docs/configuration.md",
  form: /^[A-Z*][A-Z0-9]*(?:_[A-Z0-9*]+)*$/,
  namesInCode: variableNames,
});

export const checkRoutes = checkAgreement({
  subject: "routes",
  page: "docs/api.md",
  form: /^[A-Z]+ \//,
  namesInCode: routeNames,
});

export const checkMetrics = checkAgreement({
  subject: "metrics",
  page: "docs/metrics.md",
  form: /^clew_/,
  namesInCode: metricNames,
});

/** Every check of the style, in the order of the rules. */
export const ALL_CHECKS: readonly Check[] = [
  checkWireNames,
  checkNames,
  checkSizes,
  checkExports,
  checkCatches,
  checkConstructs,
  checkErrorCodes,
  checkVariables,
  checkRoutes,
  checkMetrics,
  checkTests,
  checkPorts(PORTS),
  checkPackages({ source: PACKAGE_FOLDERS, tests: TEST_PACKAGE_FOLDERS }),
  checkGenerated,
  checkChangeFiles,
];
