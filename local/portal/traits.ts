/**
 * The ways in which a portal may be built from the provider's documentation, which leaves much open. Each trait lists
 * its choices; the first is the default: the page that the documentation describes, without trouble.
 *
 * `renderings` are built by reasonable web teams, and combine as far as `isPossible` says: a rotation succeeds on all
 * of them. `troubles` stop it, before the press (`obstacle`, `hostility`) or after it (`outcome`).
 */
const valueForms = [
  'text-input',
  'password-input',
  'password-input-with-reveal',
  'textarea',
  'code',
  'definition-list',
  'table-row',
  'div-pair',
  /** Dots until "Reveal" is clicked, and again after a rotation. */
  'masked-until-reveal',
  /** The value is nowhere in the document; "Copy" writes it to the clipboard. */
  'copy-button-only',
] as const;

export const renderings = {
  /** Of every text on the way. */
  language: ['en', 'de'],
  login: ['one-page', 'identifier-first'],
  /** `other`: an identity provider on another port, which leads back with a code. */
  loginOrigin: ['same', 'other'],
  loginFields: ['labelled', 'placeholder-only', 'autocomplete-only', 'type-only'],
  secondFactor: ['none', 'totp'],
  interstitial: ['none', 'stay-signed-in', 'whats-new'],
  session: ['none', 'already-signed-in'],
  /** `moved-…`: Developer Tools is at another address, known to the menu only; its documented one is a 404 or leads home. */
  arrival: ['redirect-back', 'lands-on-home', 'moved-404', 'moved-home'],
  /** Profile at the bottom left and "Manage Account", or avatar at the top right and "Settings". */
  menu: ['profile', 'avatar'],
  /** Whether Developer Tools has the client, or the entries "API Access" (which has it) and "Webhooks". */
  entries: ['none', 'api-access'],
  clients: ['one', 'two'],
  clientId: valueForms,
  clientSecret: valueForms,
  /** `closes-again`: a re-render soon after it was opened the first time. */
  dangerZone: ['button', 'details', 'plain-heading', 'tab', 'tab-beside-credentials', 'open', 'closes-again'],
  rotateSecret: ['heading', 'heading-without-section', 'row-label', 'description'],
  /** Where other buttons are named "Rotate". */
  otherRotates: ['webhooks', 'danger-zone-too'],
  /** `aria-dialog` and `alertdialog` are at the end of the body. */
  dialog: ['aria-dialog', 'native', 'alertdialog', 'in-section', 'window-confirm'],
  confirmation: ['plain', 'type-word', 'type-client-id', 'type-client-name', 'tick', 'type-and-tick'],
  confirmLabel: ['Rotate', 'Rotate secret', 'Yes, rotate'],
  confirmEnabled: ['at-once', 'late'],
  /** `form-posts`: the dialog is a form, its answer a page. `slow-spa`: skeletons, and nodes that are replaced. */
  rendering: ['server', 'form-posts', 'slow-spa'],
  newSecret: ['at-once', 'later', 'after-reload'],
  motion: ['still', 'animated'],
  overlay: ['none', 'cookie-banner', 'consent-wall', 'chat-widget', 'toasts'],
} as const satisfies Choices;

export const troubles = {
  obstacle: [
    'none',
    'account-locked',
    'captcha',
    /** A one-time code is asked for, and the login has no seed for one. */
    'totp-asked',
    'passkey-only',
    'sso-only',
    'email-code',
    /** The login redirects to an origin that is never to be contacted. */
    'foreign-login-origin',
    'self-signed-certificate',
    'maintenance',
    'http-500',
    'no-permission',
    'no-client',
    'other-client-id',
    'two-danger-zones',
    'two-rotate-candidates',
    'no-rotate-button',
    'renamed-button',
    'rotates-without-dialog',
    'dialog-speaks-of-deleting',
    'dialog-speaks-of-revoking-all',
    'dialog-speaks-of-billing',
    'renamed-confirm-button',
    'two-confirm-buttons',
  ],
  /** What the press comes to. */
  outcome: [
    'ok',
    '500-with-effect',
    '500-without-effect',
    'no-answer-with-effect',
    'no-answer-without-effect',
    'reset-with-effect',
    'reset-without-effect',
    /** Takes effect, resets a connection that was in use before, on which Chromium sends the request again, and answers that. */
    'reset-and-sent-again',
    'session-expired',
    'dialog-error',
  ],
  /** What Developer Tools does to whoever opens it. */
  hostility: [
    'none',
    'endless-alerts',
    'huge-secret',
    'endless-redirects',
    'endless-reloads',
    'rewritten-array-prototype',
    'basic-auth-elsewhere',
    'popup',
    'download',
  ],
} as const satisfies Choices;

export const portalTraits = { ...renderings, ...troubles };

type Choices = Record<string, readonly [string, ...string[]]>;

/** One choice for each trait. */
export type PortalTraits = { [Trait in keyof typeof portalTraits]: (typeof portalTraits)[Trait][number] };

export const defaultTraits = Object.fromEntries(
  Object.entries(portalTraits).map(([trait, [choice]]) => [trait, choice]),
) as PortalTraits;

type Some = { readonly [Trait in keyof PortalTraits]?: readonly PortalTraits[Trait][] };

/** Where all of `when` hold, only these choices make sense: what else was chosen could not be seen. */
const rules: readonly { when: Some; only: Some }[] = [
  {
    when: { session: ['already-signed-in'] },
    only: {
      login: ['one-page'],
      loginOrigin: ['same'],
      loginFields: ['labelled'],
      secondFactor: ['none'],
      interstitial: ['none', 'whats-new'],
      arrival: ['redirect-back', 'moved-404', 'moved-home'],
    },
  },
  {
    when: { dialog: ['window-confirm'] },
    only: { confirmation: ['plain'], confirmLabel: ['Rotate'], confirmEnabled: ['at-once'] },
  },
  { when: { rendering: ['form-posts'] }, only: { newSecret: ['at-once', 'later'] } },
  {
    when: {
      obstacle: [
        'account-locked',
        'captcha',
        'totp-asked',
        'passkey-only',
        'sso-only',
        'email-code',
        'foreign-login-origin',
      ],
    },
    only: { session: ['none'] },
  },
  { when: { obstacle: ['totp-asked', 'email-code'] }, only: { secondFactor: ['none'] } },
  { when: { obstacle: ['passkey-only', 'sso-only'] }, only: { login: ['one-page'], loginFields: ['labelled'] } },
  {
    when: { obstacle: ['renamed-confirm-button', 'two-confirm-buttons', 'rotates-without-dialog'] },
    only: { dialog: ['aria-dialog', 'native', 'alertdialog', 'in-section'] },
  },
];

/** Whether a portal can have all of these traits at once; a trait that is left out excludes nothing. */
export function isPossible(traits: Partial<PortalTraits>): boolean {
  const holds = (some: Some, whereLeftOut: boolean) =>
    Object.entries(some).every(([trait, choices]) => {
      const choice = traits[trait as keyof PortalTraits];
      return choice === undefined ? whereLeftOut : (choices as readonly string[]).includes(choice);
    });
  return rules.every(({ when, only }) => !holds(when, false) || holds(only, true));
}
