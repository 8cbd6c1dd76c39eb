import { defineHandler } from "nitro/h3";
import { storefront } from "../../../lib/storefront";

export default defineHandler(({ req }) => storefront.fetch(req));
