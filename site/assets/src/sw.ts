/// <reference lib="webworker" />
// Static files and the offline page only: never a page or an answer that holds anything about anybody.
// The server fills in the names; "@version" is a hash of the contents, so a new release starts a new cache.
const sw = self as unknown as ServiceWorkerGlobalScope;
const cache = "@version";
const files = ["/offline", ..."@files".split(" ")];

sw.addEventListener("install", (e) => {
  sw.skipWaiting();
  e.waitUntil(caches.open(cache).then((c) => c.addAll(files)));
});
sw.addEventListener("activate", (e) =>
  e.waitUntil(caches.keys().then((names) => Promise.all(names.filter((n) => n !== cache).map((n) => caches.delete(n))))));
sw.addEventListener("fetch", (e) => {
  const u = new URL(e.request.url);
  if (e.request.method !== "GET" || u.origin !== sw.location.origin) return;
  if (u.pathname.startsWith("/a/")) {
    e.respondWith(caches.match(e.request).then((r) => r ?? fetch(e.request)));
  } else if (e.request.mode === "navigate") {
    e.respondWith(fetch(e.request).catch(async () => (await caches.match("/offline")) ?? Response.error()));
  }
});
