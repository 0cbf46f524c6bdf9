// Passkeys on the pages that have them. The page brings everything this needs:
//   <p id="pk-status" role="status"></p>
//   <button type="button" hidden data-pk-use data-begin="/…" data-finish="/…" data-busy="…" data-failed="…" data-cancelled="…">
//   <button type="button" hidden data-pk-add data-begin="/…" data-finish="/…" data-busy="…" data-failed="…" data-cancelled="…">
// begin answers {"publicKey": options}; finish is sent {"credential": answer} with the fields of the button's form, but
// never a password, and answers {"next": "/path"}, where this goes; begin may answer {"next"} too, for a step that comes
// before. Both send the CSRF token in X-CSRF. An <input autocomplete="username webauthn"> on the page turns on
// conditional UI: the browser offers its passkeys in the field's list. On refusal the sentence stands in #pk-status.
//   <button type="button" hidden data-reveal="password" data-hide="…"> shows and hides the password field of that id.
type Options = { publicKey?: any; next?: string };
const say = (m?: string) => {
  const e = document.getElementById("pk-status");
  if (e) e.textContent = m ?? "";
};
const csrf = () => document.querySelector<HTMLMetaElement>('meta[name="csrf"]')?.content ?? "";
const post = async (path: string, body: unknown) => {
  const r = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF": csrf() },
    body: JSON.stringify(body),
  });
  if (!r.ok) throw new Error(String(r.status));
  return r.json();
};
const go = (a: { next?: string }) => {
  if (a.next && /^\/(?![\/\\])/.test(a.next)) location.assign(a.next);
};

// Browsers before 2025 lack the JSON helpers of WebAuthn level 3.
const bytes = (s: string) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (b: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const PK = (window as any).PublicKeyCredential;
const ids = (l?: any[]) => l?.map((c) => ({ ...c, id: bytes(c.id) }));
const forGet = (o: any) =>
  PK.parseRequestOptionsFromJSON?.(o) ?? { ...o, challenge: bytes(o.challenge), allowCredentials: ids(o.allowCredentials) };
const forCreate = (o: any) =>
  PK.parseCreationOptionsFromJSON?.(o) ??
  { ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: ids(o.excludeCredentials) };
const asJSON = (c: any) => {
  if (c.toJSON) return c.toJSON();
  const response: Record<string, unknown> = {};
  for (const k of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (c.response[k]) response[k] = text(c.response[k]);
  if (c.response.getTransports) response.transports = c.response.getTransports();
  return { id: c.id, rawId: text(c.rawId), type: c.type, response, clientExtensionResults: c.getClientExtensionResults(),
    authenticatorAttachment: c.authenticatorAttachment ?? undefined };
};

let waiting: AbortController | undefined;
const fields = (b: HTMLButtonElement) => {
  const all: Record<string, unknown> = {};
  for (const e of b.form?.querySelectorAll<HTMLInputElement>("input:not([type=password])") ?? [])
    if (e.name && e.name !== "csrf" && (e.type !== "checkbox" || e.checked)) all[e.name] = e.value;
  return all;
};
const run = (b: HTMLButtonElement, ask: (o: Options) => Promise<any>) =>
  b.addEventListener("click", async () => {
    if (b.ariaDisabled === "true") return;
    waiting?.abort();
    b.ariaDisabled = "true";
    say(b.dataset.busy);
    try {
      const o: Options = await post(b.dataset.begin!, {});
      if (o.next) return go(o);
      const credential = asJSON(await ask(o));
      go(await post(b.dataset.finish!, { ...fields(b), credential }));
    } catch (e) {
      say((e as Error).name === "NotAllowedError" ? b.dataset.cancelled : b.dataset.failed);
    }
    b.ariaDisabled = null;
  });

const conditional = async (b: HTMLButtonElement) => {
  if (!document.querySelector('input[autocomplete~="webauthn"]') || !(await PK.isConditionalMediationAvailable?.())) return;
  waiting = new AbortController();
  try {
    const o: Options = await post(b.dataset.begin!, {});
    const c = await navigator.credentials.get({ publicKey: forGet(o.publicKey), mediation: "conditional", signal: waiting.signal });
    go(await post(b.dataset.finish!, { ...fields(b), credential: asJSON(c) }));
  } catch (e) {
    if ((e as Error).name !== "AbortError" && (e as Error).name !== "NotAllowedError") say(b.dataset.failed);
  }
};

for (const b of document.querySelectorAll<HTMLButtonElement>("[data-reveal]")) {
  const field = document.getElementById(b.dataset.reveal!) as HTMLInputElement;
  const words = [b.textContent, b.dataset.hide!];
  b.hidden = false;
  b.addEventListener("click", () => {
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    b.textContent = words[shown ? 0 : 1];
  });
  field.form?.addEventListener("submit", () => (field.type = "password"));
}

if (PK && navigator.credentials) {
  for (const d of document.querySelectorAll<HTMLElement>("[data-pk]")) d.hidden = false;
  for (const b of document.querySelectorAll<HTMLButtonElement>("[data-pk-use]")) {
    b.hidden = false;
    run(b, (o) => navigator.credentials.get({ publicKey: forGet(o.publicKey) }));
    conditional(b);
  }
  for (const b of document.querySelectorAll<HTMLButtonElement>("[data-pk-add]")) {
    b.hidden = false;
    run(b, (o) => navigator.credentials.create({ publicKey: forCreate(o.publicKey) }));
  }
}

export {};
