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
 * Makes the function that creates contexts with these fields. A context creates each field when a method reads it,
 * because most methods read few of them, and all of them together take as long as the lookup of a session. Anything
 * else that is done to a context, for example a spread, creates all fields first, as properties of an ordinary object.
 */
export function createContextFactory<Context extends BaseRpcContext>({
  values,
  constants,
}: ContextFields<Context>): (call: Call) => Context {
  const fields: Fields = {
    values: new Set(values),
    constants: new Map(Object.entries(constants) as [string, (call: Call) => unknown][]),
  };
  return (call) =>
    new Proxy(Object.create(prototype) as object, new FieldCreator(call, fields)) as Context;
}

// --- Internal helpers ---

/** Node prints a proxy without its handler, so this creates the fields. */
const prototype: object = Object.defineProperty({}, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: object) {
    return Object.defineProperties({}, Object.getOwnPropertyDescriptors(this));
  },
});

/** The fields of a kind of context, for quick access by name. */
interface Fields {
  readonly values: ReadonlySet<keyof Call>;
  readonly constants: ReadonlyMap<string, (call: Call) => unknown>;
}

class FieldCreator implements ProxyHandler<object> {
  readonly #call: Call;
  readonly #fields: Fields;
  #isComplete = false;

  constructor(call: Call, fields: Fields) {
    this.#call = call;
    this.#fields = fields;
  }

  get(context: object, name: string | symbol): unknown {
    const known = (context as Record<string | symbol, unknown>)[name];
    if (known !== undefined || this.#isComplete || typeof name === "symbol") return known;
    return this.#fields.values.has(name as keyof Call)
      ? this.#call[name as keyof Call]
      : this.#createConstant(context, name);
  }

  has(context: object, name: string | symbol): boolean {
    return Reflect.has(this.#complete(context), name);
  }

  ownKeys(context: object): (string | symbol)[] {
    return Reflect.ownKeys(this.#complete(context));
  }

  getOwnPropertyDescriptor(context: object, name: string | symbol) {
    return Reflect.getOwnPropertyDescriptor(this.#complete(context), name);
  }

  defineProperty(context: object, name: string | symbol, property: PropertyDescriptor): boolean {
    return Reflect.defineProperty(this.#complete(context), name, property);
  }

  deleteProperty(context: object, name: string | symbol): boolean {
    return Reflect.deleteProperty(this.#complete(context), name);
  }

  preventExtensions(context: object): boolean {
    return Reflect.preventExtensions(this.#complete(context));
  }

  /** Adds the missing fields to the context. */
  #complete(context: object): object {
    if (this.#isComplete) return context;
    const { values, constants } = this.#fields;
    for (const name of [...constants.keys(), "with"]) {
      if (!Object.hasOwn(context, name)) this.#createConstant(context, name);
    }
    for (const name of values) {
      const get = () => this.#call[name];
      Object.defineProperty(context, name, { get, enumerable: true, configurable: true });
    }
    this.#isComplete = true;
    return context;
  }

  /** @returns `undefined` if the context has no such field */
  #createConstant(context: object, name: string): unknown {
    const create = this.#fields.constants.get(name);
    if (create === undefined && name !== "with") return undefined;
    const constant =
      create === undefined
        ? (extra: object) => extend(this.#complete(context), extra)
        : create(this.#call);
    (context as Record<string, unknown>)[name] = constant;
    return constant;
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
