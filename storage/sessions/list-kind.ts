/** The lists that a guest or a user can have. */
export type ListKind = "basket" | "wishlist";
