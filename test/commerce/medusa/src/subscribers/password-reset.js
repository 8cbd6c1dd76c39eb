/** Prints the content of a mail. */
exports.default = async function print({ event: { data } }) {
  process.stdout.write(`password reset ${JSON.stringify(data)}\n`);
};

exports.config = { event: "auth.password_reset" };
