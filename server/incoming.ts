import type { HTTPEvent } from "h3";
import type { ServerRequest } from "srvx";

/** A request on its way in: h3's event, or what stands for one where h3 is not asked. */
export interface Incoming extends HTTPEvent {
  readonly url: URL;
}

/** What stands for an event of h3's. Its URL is parsed when it is asked for: most calls do not. */
export class IncomingRequest implements Incoming {
  req: ServerRequest;
  #url: URL | undefined;

  constructor(request: ServerRequest) {
    this.req = request;
  }

  get url(): URL {
    this.#url ??= new URL(this.req.url);
    return this.#url;
  }
}
