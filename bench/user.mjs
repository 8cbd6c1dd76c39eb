/** The user of all measured servers: some 600 bytes of JSON, like a shop's user. */
export function createUser(email) {
  return {
    id: email.slice(0, email.indexOf("@")),
    email,
    firstName: "Augusta Ada",
    lastName: "King, Countess of Lovelace",
    phone: "+44 20 7946 0958",
    birthDate: "1815-12-10",
    status: "active",
    groups: ["newsletter", "loyalty-gold", "early-access"],
    consents: { email: true, post: true, sms: false, phone: false },
    addresses: [toAddress("shipping"), toAddress("billing")],
    lastOrder: { orderId: 48_151_623, total: 12_990, currency: "EUR" },
  };
}

// --- Internal helpers ---

function toAddress(use) {
  const street = "12 St James's Square";
  return { use, street, zipCode: "SW1Y 4LB", city: "London", countryCode: "GB" };
}
