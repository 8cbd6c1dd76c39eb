/** The public settings of a shop, for methods and frontends. */
export interface PublicShop {
  readonly shopId: number;
  /** A BCP 47 language tag, for example `de-DE`. */
  readonly locale: string;
  /** An ISO 4217 code, for example `EUR`. */
  readonly currency: string;
  /** The hosts of the shop. `*.shop.example` is every host below `shop.example`. */
  readonly host?: string | string[] | undefined;
  /** The first segment of the shop's paths. */
  readonly path?: string | undefined;
}
