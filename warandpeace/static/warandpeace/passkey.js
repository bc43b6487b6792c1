// Passkeys: a button with data-passkey asks the server for a challenge, lets the browser answer it, and sends that back.
// The texts it shows stand in the button's data, translated by the page.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function ask(address, data) {
  const answer = await fetch(address, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value,
    },
    body: JSON.stringify(data ?? {}),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

const listed = (credentials) => (credentials ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

async function create(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: listed(options.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  return {
    ...named(made),
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports?.() ?? [],
    },
  };
}

async function get(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: listed(options.allowCredentials),
  };
  const found = await navigator.credentials.get({ publicKey });
  const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
  return {
    ...named(found),
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
  };
}

function named(credential) {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

function explain(error, { aborted, failed }) {
  // The browser says no more about why: closed, too late, or no passkey of this site.
  return ["NotAllowedError", "AbortError"].includes(error.name) ? aborted : `${failed} ${error.message ?? ""}`;
}

async function press(button) {
  const problem = document.getElementById("passkey-problem");
  problem.hidden = true;
  button.disabled = true;
  try {
    const answer = button.dataset.passkey === "add" ? create : get;
    const told = await ask(button.dataset.complete, await answer(await ask(button.dataset.begin)));
    location.assign(button.dataset.next || told.redirect_url || location.href);
  } catch (error) {
    problem.textContent = explain(error, button.dataset);
    problem.hidden = false;
    button.disabled = false;
  }
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  const { domain } = button.dataset;
  const isOurs = location.hostname === domain || location.hostname.endsWith(`.${domain}`);
  if (window.PublicKeyCredential && isOurs) button.addEventListener("click", () => press(button));
  else {
    button.hidden = true;
    document.getElementById("passkey-elsewhere").hidden = false;
  }
}
