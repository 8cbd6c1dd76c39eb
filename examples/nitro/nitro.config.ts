// Nitro 3.0.0 always reads `routes` next to this file; newer versions read it in `serverDir`.
export default { serverDir: ".", compatibilityDate: "2026-01-01" };
