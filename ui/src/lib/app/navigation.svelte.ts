/** Where the reader is. The address is the only truth about view, filters and as-of. */

import { formatRoute, globalParams, parseRoute, patchParams, type Params, type Route, type ViewName } from "$lib/model/route";

/** WebKit refuses more than 100 history changes in 30 s, so a drag must not write each step. */
const WRITE_AFTER_MS = 250;

class Navigation {
  route = $state.raw<Route>(parseRoute(location.hash));
  private timer: ReturnType<typeof setTimeout> | null = null;
  /** What the address bar held when this last looked or wrote. */
  private seen = location.hash;

  get view(): ViewName {
    return this.route.view;
  }
  get params(): Params {
    return this.route.params;
  }

  /** Follows the address bar, back and forward. Returns the clean-up. */
  listen(): () => void {
    const follow = () => {
      this.rest();
      this.seen = location.hash;
      if (location.hash !== formatRoute(this.route)) this.route = parseRoute(location.hash);
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }

  /** Goes to another view; the as-of and the range go along. */
  go(view: ViewName, arg: string | null = null, params: Record<string, string | null> = {}): void {
    this.flush();
    this.route = { view, arg, params: patchParams(globalParams(this.params), params) };
    history.pushState(null, "", formatRoute(this.route));
    this.seen = location.hash;
  }

  /** Opens a written address. */
  open(hash: string): void {
    this.flush();
    this.route = parseRoute(hash);
    history.pushState(null, "", formatRoute(this.route));
    this.seen = location.hash;
  }

  /** Address for a link. */
  href(view: ViewName, arg: string | null = null, params: Record<string, string | null> = {}): string {
    return formatRoute({ view, arg, params: patchParams(globalParams(this.params), params) });
  }

  /** Changes parameters in place: at once here, a moment later in the address bar. */
  patch(patch: Record<string, string | null>): void {
    const params = patchParams(this.params, patch);
    const same = formatRoute({ ...this.route, params }) === formatRoute(this.route);
    if (same) return;
    this.route = { ...this.route, params };
    this.rest();
    this.timer = setTimeout(() => this.flush(), WRITE_AFTER_MS);
  }

  private flush(): void {
    if (this.timer === null) return;
    this.rest();
    // Somebody went elsewhere, and the page has yet to hear of it: what was pending belongs to the place before.
    if (location.hash !== this.seen) return;
    history.replaceState(null, "", formatRoute(this.route));
    this.seen = location.hash;
  }

  private rest(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

export const navigation = new Navigation();
