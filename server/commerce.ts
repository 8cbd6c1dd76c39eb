/**
 * Adds the code for commerce systems to a bundle for a worker. Import it in the module of an adapter. Elsewhere, that code
 * is always there.
 * @module storefront-core/commerce
 */

import * as kernel from "../rpc/commerce/kernel.ts";
import { registerKernel } from "../rpc/commerce/worker-kernel.ts";

registerKernel(kernel);
