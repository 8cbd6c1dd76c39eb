import type { Call } from "./call.ts";
import type { BaseRpcContext } from "./context.ts";

/** The fields of a kind of context, except `with`. */
export interface ContextFields<Context extends BaseRpcContext> {
  /** The values that each access reads from the call, because they can change during the call. */
  readonly values: readonly Extract<keyof Context, keyof Call>[];
  /** Creates the functions, and the other fields that never change. */
  readonly constants: {
    readonly [Name in Exclude<keyof Context, keyof Call | "with">]: (call: Call) => Context[Name];
  };
}

/**
 * Creates a context. It creates each field when a method reads it, because most methods read few of them, and all of
 * them together take as long as the lookup of a session. Anything else that is done to the context, for example a
 * spread, creates all fields first, as properties of an ordinary object.
 */
export function toContext<Context extends BaseRpcContext>(
  call: Call,
  fields: ContextFields<Context>,
): Context {
  return new Proxy(Object.create(prototype) as Context, new FieldCreator(call, fields));
}

// --- Internal helpers ---

/** Node prints a proxy without its handler, so this creates the fields. */
const prototype: object = Object.defineProperty({}, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: object) {
    return Object.defineProperties({}, Object.getOwnPropertyDescriptors(this));
  },
});

class FieldCreator<Context extends BaseRpcContext> implements ProxyHandler<Context> {
  readonly #call: Call;
  readonly #fields: ContextFields<Context>;
  #isComplete = false;

  constructor(call: Call, fields: ContextFields<Context>) {
    this.#call = call;
    this.#fields = fields;
  }

  get(context: Context, name: string | symbol): unknown {
    const known = (context as Record<string | symbol, unknown>)[name];
    if (known !== undefined || this.#isComplete || typeof name === "symbol") return known;
    const { values } = this.#fields;
    if ((values as readonly string[]).includes(name)) return this.#call[name as keyof Call];
    return this.#createConstant(context, name);
  }

  has(context: Context, name: string | symbol): boolean {
    return Reflect.has(this.#complete(context), name);
  }

  ownKeys(context: Context): (string | symbol)[] {
    return Reflect.ownKeys(this.#complete(context));
  }

  getOwnPropertyDescriptor(context: Context, name: string | symbol) {
    return Reflect.getOwnPropertyDescriptor(this.#complete(context), name);
  }

  defineProperty(context: Context, name: string | symbol, property: PropertyDescriptor): boolean {
    return Reflect.defineProperty(this.#complete(context), name, property);
  }

  deleteProperty(context: Context, name: string | symbol): boolean {
    return Reflect.deleteProperty(this.#complete(context), name);
  }

  preventExtensions(context: Context): boolean {
    return Reflect.preventExtensions(this.#complete(context));
  }

  /** Adds the missing fields to the context. */
  #complete(context: Context): Context {
    if (this.#isComplete) return context;
    for (const name of Object.keys(this.#fields.constants)) this.#createConstant(context, name);
    this.#createConstant(context, "with");
    for (const name of this.#fields.values) {
      const get = () => this.#call[name];
      Object.defineProperty(context, name, { get, enumerable: true, configurable: true });
    }
    this.#isComplete = true;
    return context;
  }

  /** @returns `undefined` if the context has no such field */
  #createConstant(context: Context, name: string): unknown {
    const constants = this.#fields.constants as Record<string, (call: Call) => unknown>;
    const known = context as Record<string, unknown>;
    if (Object.hasOwn(known, name)) return known[name];
    if (name === "with") known[name] = (extra: object) => extend(this.#complete(context), extra);
    else if (Object.hasOwn(constants, name)) known[name] = constants[name]?.(this.#call);
    return known[name];
  }
}

/** Creates a context with more fields, for `with`: it copies getters, not their values. */
function extend(context: object, extra: object): object {
  const properties = {
    ...Object.getOwnPropertyDescriptors(context),
    ...Object.getOwnPropertyDescriptors(extra),
  };
  const extended = Object.defineProperties({}, properties);
  return Object.assign(extended, { with: (more: object) => extend(extended, more) });
}
