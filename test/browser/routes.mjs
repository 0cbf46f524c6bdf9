// Every page has a representative: the first address found by following links that fits its route. A route without one
// fails the run, so no new page escapes.
import { execFileSync } from "node:child_process";
import { ask, program } from "./lib/practice.mjs";

export const routes = () =>
  JSON.parse(execFileSync(program, ["routes", "--json"], { encoding: "utf8" }))
    .filter((r) => r.pattern.startsWith("GET ") && !r.pattern.startsWith("GET /fhir/")) // a door for programs has no pages
    .map((r) => ({ ...r, path: r.pattern.slice(4), fits: fitting(r.pattern.slice(4)) }));

const fitting = (pattern) => new RegExp(`^${pattern.replace("/{$}", "/").replace(/\{[^}]+\}/g, "[^/]+")}$`);

// routeOf is the route an address belongs to: of those that fit, the one that leaves least open, as the server chooses.
export const routeOf = (all, address) => {
  const open = (r) => r.path.split("{").length;
  const fit = all.filter((r) => r.fits.test(address.split("?")[0]));
  return fit.sort((a, b) => open(a) - open(b))[0];
};

// Links that end a session are followed by their own tests.
const leaving = /^\/(signout|session\/exit)/;

export const linksOf = (html, origin) =>
  [...new Set([...html.matchAll(/<a\b[^>]*\bhref="([^"]+)"/g)].map((m) => m[1].replaceAll("&amp;", "&")))]
    .map((h) => new URL(h, origin))
    .filter((u) => u.origin === origin && !leaving.test(u.pathname))
    .map((u) => u.pathname + u.search);

// crawl follows links breadth first from the start pages, but each kind of page only so often.
export async function crawl(origin, cookies, { start, all, perKind = 4, most = 80 }) {
  const found = new Map();
  const seen = new Set(start);
  const count = new Map();
  const queue = [...start];
  while (queue.length && found.size < most) {
    const path = queue.shift();
    const answer = await ask(origin, path, cookies);
    found.set(path, answer);
    if (!answer.type.startsWith("text/html") || answer.headers["content-disposition"]) continue;
    for (const next of linksOf(answer.body.toString(), origin)) {
      const route = routeOf(all, next);
      const kind = route?.path.includes("{") ? route.path : next;
      const n = count.get(kind) ?? 0;
      if (seen.has(next) || n >= perKind) continue;
      count.set(kind, n + 1);
      seen.add(next);
      queue.push(next);
    }
  }
  return found;
}
