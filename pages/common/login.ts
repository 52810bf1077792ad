import { byId, make } from "./dom.ts";

/** What a form says of who the user is. */
interface Given {
  readonly user: string;
  readonly secret: string;
}

/**
 * Shows a form in the place of the page, and resolves when it is sent.
 *
 * @param needs Whether a token alone will do, and there are no users.
 * @param problem What is wrong with what was said before.
 */
export function askLogin(needs: "token" | "user", problem: string | undefined): Promise<Given> {
  const page = byId("main");
  const hasUsers = needs === "user";
  const focused = document.activeElement as HTMLElement | null;
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
      "aria-describedby": hasUsers ? undefined : "login-hint",
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
          // Who uses the keyboard goes on where it was asked.
          focused?.focus();
          resolve({ user: user.value, secret: secret.value });
        },
      },
      make("h1", { id: "login-title" }, hasUsers ? "Who are you?" : "The token of this run"),
      problem === undefined ? undefined : make("p", { class: "problem", role: "alert" }, problem),
      ...hasUsers
        ? [
          make("label", { for: "login-user" }, "User"),
          user,
          make("p", { id: "login-hint", class: "hint" }, "Leave it empty if you have a token."),
        ]
        : [],
      make("label", { for: "login-secret" }, hasUsers ? "Password or token" : "Token"),
      secret,
      hasUsers ? undefined : make(
        "p",
        { id: "login-hint", class: "hint" },
        "It was printed when the program started.",
      ),
      make("button", { class: "primary" }, "Continue"),
    );
    const main = make("main", {}, form);
    page.before(main);
    page.hidden = true;
    (hasUsers ? user : secret).focus();
  });
}
