/** The settings of scrypt: one of the equivalent settings of OWASP's Password Storage Cheat Sheet, which takes 32 MiB. */
export const passwordCost = { ln: 15, r: 8, p: 3 };
