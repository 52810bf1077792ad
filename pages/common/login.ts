import { byId, make } from "./dom.ts";

/** What a form says of who the user is. */
interface Given {
  readonly user: string;
  readonly secret: string;
}

/**
 * Shows a form in the place of the page, and resolves when it is sent.
 *
 * @param problem What is wrong with what was said before.
 */
export function askLogin(problem: string | undefined): Promise<Given> {
  const page = byId("main");
  return new Promise((resolve) => {
    const user = make("input", {
      id: "login-user",
      autocomplete: "username",
      autocapitalize: "none",
      spellcheck: "false",
      "aria-describedby": "login-hint",
    });
    const secret = make("input", {
      id: "login-secret",
      type: "password",
      autocomplete: "current-password",
      required: true,
    });
    const form = make(
      "form",
      {
        id: "login",
        class: "login",
        "aria-labelledby": "login-title",
        onsubmit(event) {
          event.preventDefault();
          main.remove();
          page.hidden = false;
          resolve({ user: user.value, secret: secret.value });
        },
      },
      make("h1", { id: "login-title" }, "Who are you?"),
      problem === undefined ? undefined : make("p", { class: "problem", role: "alert" }, problem),
      make("label", { for: "login-user" }, "User"),
      user,
      make("p", { id: "login-hint", class: "hint" }, "Leave it empty if you have a token."),
      make("label", { for: "login-secret" }, "Password or token"),
      secret,
      make("button", { class: "primary" }, "Continue"),
    );
    const main = make("main", {}, form);
    page.before(main);
    page.hidden = true;
    user.focus();
  });
}
