import * as z from 'zod/mini';
import { defaultLimits } from '../rotation/limits.ts';
import { parseJson, text } from '../rotation/parse.ts';
import { RotationError } from '../rotation/rotation-error.ts';

const slashed = /^\/(.+)\/i?$/s;

/**
 * A label is compared with the whole text, spaces and case apart; one between slashes is a pattern (case-insensitive too).
 * A profile that names a list replaces that list.
 */
const label = text.check(z.refine((label) => compiles(label), 'is not a valid pattern'));
const labelList = z.array(label).check(z.minLength(1));
const labels = (...defaults: string[]) => z._default(labelList, defaults);
const origin = z
  .string()
  .check(
    z.refine(
      (text) => URL.canParse(text) && new URL(text).origin === text,
      'must be an origin, such as https://login.example.com',
    ),
  );
const css = z.optional(text);
const timeMs = (defaultMs: number) => z._default(z.int().check(z.minimum(0), z.maximum(600_000)), defaultMs);

/** All by which the portal is driven, as data. Everything has a default, in English; unknown keys are errors. */
export const portalProfileSchema = z.strictObject({
  /** The browser's language, BCP 47. */
  locale: z._default(z.string().check(z.minLength(2)), 'en-US'),
  /** Where the login may be typed, besides the registrable domain of `developer_tools_url`. */
  trustedOrigins: z._default(z.array(origin), []),
  /** From where the page may load scripts, styles and fonts, and nothing is typed. */
  assetOrigins: z._default(z.array(origin), []),
  /** Whether a preflight opens the rotate dialog and cancels it. */
  preflightOpensDialog: z._default(z.boolean(), false),
  /** `METHOD path` of requests that change nothing; every other one is held back from the click on "Rotate" until the dialog is there. */
  harmlessRequests: z._default(z.array(label), []),
  labels: z.prefault(
    z.strictObject({
      username: labels(
        '/^(your )?(work |business )?(e-?mail( address)?|user ?name)( or (e-?mail( address)?|user ?name))?$/',
        'Login',
      ),
      password: labels('/^(your |enter (your )?)?password$/'),
      oneTimeCode: labels(
        '/\\b(one[- ]?time|verification|authenticat(or|ion)|security|two-factor|2fa|mfa|totp|6-digit)\\b.*\\bcode\\b/',
        '/\\bcode (from|of|in|shown by) (your |the |an )?authenticator\\b/',
        '/^(enter (the |your )?)?passcode$/',
        'Code',
        'OTP',
        '/^enter (the |your )?code$/',
      ),
      submitLogin: labels(
        '/^(log ?[io]n|sign ?[io]n|continue|next|verify|validate|authenticate|submit|confirm)( code| (with|using) (your )?(e-?mail( address)?|user ?name|password|credentials))?$/',
        '/^(log ?[io]n|sign ?[io]n) (to|into|now|securely)\\b.{0,40}$/',
      ),
      /** What leads to the login, where another page is shown in its place; in the order of preference. */
      enterLogin: labels(
        '/^(log|sign) ?[io]n( again)?$/',
        '/^((log|sign) ?[io]n|continue) (with|using) (your )?(e-?mail( address)?|user ?name|password|credentials)$/',
        '/^(use|enter) (a |my |your )?password( instead)?$/',
      ),
      /** The button of a form that asks for the same and is no login. */
      otherForms: labels(
        '/\\b(sign ?up|subscribe|register|create|join|get started|book|notify)\\b|^try (it )?(for )?free|^request (a )?(demo|access)/',
      ),
      profileMenu: labels('/^(open )?(the )?(your )?(user|account|profile|avatar)( (menu|icon|settings|picture))?$/'),
      /** In the order of preference, as `developerTools`. */
      manageAccount: labels('/^manage (your )?account$/', 'Account settings', 'Settings', 'Account'),
      developerTools: labels('Developer Tools', 'Developer', '/^api access/'),
      /** What opens the navigation of a narrow window. */
      navigation: labels('/^(open |toggle |show )?(the )?(main |side ?|site )?(menu|navigation|nav)( menu)?$/', '☰'),
      clientId: labels('/^(oauth ?(2(\\.0)?)? )?client[- _]?id(entifier)?$/'),
      clientSecret: labels('/^(your |current |oauth ?(2(\\.0)?)? )?client[- _]?secret$/'),
      clientName: labels('/^(client |application )?name$/', 'Client'),
      reveal: labels(
        '/^(reveal|show|view|unmask|display|toggle)( (the |your )?(client |hidden )?(secret|value|visibility|password))?( visibility)?$/',
      ),
      copy: labels('/^copy( (the |your )?(client )?(secret|value))?( to clipboard)?$/', '/^copied!?( to clipboard)?$/'),
      dangerZone: labels('/^\\W*danger zone\\b/'),
      rotateSecret: labels(
        '/^\\W*rotate (the |your |this |oauth ?(2(\\.0)?)? )?(client )?secret\\b(?!\\s+(manager|key|store|vault|scanning|webhook|used to|signing))/',
      ),
      /** Headings under which another secret is rotated. */
      otherSecrets: labels('/^\\W*(\\w+ )?(web ?hooks?|(signing|encryption)( key| secret)?s?)\\W*$/'),
      rotate: labels(
        '/^(rotate\\W{1,3})?rotate(,? (the |your |this )?(client )?secret)?( rotate)?( (for|of) .{1,80})?(…|\\.\\.\\.)?$/',
      ),
      confirm: labels(
        '/^(yes,? ?)?(i understand,? ?)?rotate( (it|the|your|my|this))?( client)?( secret)?( now)?$/',
        '/^confirm( secret)? rotation$/',
      ),
      cancel: labels(
        'Cancel',
        'Close',
        'No',
        'Back',
        'Dismiss',
        '/^(no, )?keep/',
        '/^(not now|(maybe |remind me )?later|skip|no,? thanks)$/',
      ),
      acknowledge: labels(
        '/^(yes|i)\\b(?!.*\\b(also|too)\\b|.*\\b(revoke|invalidate|terminate|end)\\b.*\\b(tokens?|sessions?)\\b|.*\\b(sign|log) (\\w+ ){0,3}out\\b)/',
        '/\\b(understand|aware|acknowledge|agree|confirm|know|sure)\\b/',
      ),
      /** The answers to a page in between that change nothing, whatever it speaks of. */
      decline: labels('/^(no|not now|no,? thanks|(maybe )?later|skip\\b.*|got it!?)$/'),
      dismiss: labels(
        '/^(reject|decline|refuse|deny)( all)?( cookies)?$/',
        '/^(use |accept |allow )?(only )?(strictly )?(necessary|essential)( cookies)?( only)?$/',
        '/^(close|dismiss|minimi[sz]e|hide)( (banner|chat|dialog|message|notification|window|this))?$/',
        '/^([×✕✖✗x]|no,? thanks|not now|maybe later|later|skip|got it|ok|okay)$/',
        '/^(accept|allow|agree)( to)?( all)?( cookies)?$/',
      ),
    }),
    {},
  ),
  /** What the page says, found anywhere in its text. */
  messages: z.prefault(
    z.strictObject({
      loginRefused: labels(
        '/((?<!went )wrong|incorrect|invalid|not recogni[sz]ed|(do(es)?( not|n.t)) match|could ?n.t find|unknown|failed|unsuccessful|check your (credentials|password|details)|unable to (sign|log)|bad credentials|not correct|authentication error)/',
      ),
      codeRefused: labels('/(wrong|incorrect|invalid|expired|not valid|try again)/'),
      accountLocked: labels(
        '/\\baccount\\b.{0,40}\\b(locked|blocked|suspended|disabled|deactivated)\\b|\\b(locked|blocked|suspended)\\b.{0,40}\\baccount\\b/',
        '/too many (failed |login |sign-in )*(attempts|tries)/',
      ),
      captcha: labels(
        '/(?<!if (you )?)\\b(are|you.re) (a )?human\\b|not a (ro)?bot|complete the (captcha|challenge)|unusual traffic|checking your browser|solve the (captcha|puzzle)|\\bcaptcha\\b.{0,40}\\b(required|below|enter|type)|enter the characters/',
      ),
      mailedCode: labels(
        '/(sent|e-?mailed) (you )?(an? |the )?(\\S+ ){0,4}(code|link|message)\\b.{0,60}|check your (e-?mail|inbox|phone)|magic link/',
      ),
      approval: labels('/approve (the |this |your )?(sign|log)-?in|sent (you )?(a |an )?(push )?notification/'),
      /** A second factor is to be set up before one may go on. */
      enrolment: labels('/\\bscan (the|this|an?) .{0,20}(qr|bar) ?code/'),
      /** Another password is to be chosen before one may go on. */
      passwordExpired: labels(
        '/\\bpassword (has |is )?expired|\\b(must|need to|have to) change (it|your password)\\b/',
      ),
      otherLogin: labels(
        '/pass ?key|security key|single sign-?on|\\bsso\\b|(continue|sign in|log in) with (google|microsoft|apple|github|okta)/',
      ),
      noPermission: labels(
        '/(do(es)?( not|n.t) have|no|missing|insufficient|lack)( the| a| any)?( required| necessary)? (permission|access|rights|privileges)|access denied|not (authori[sz]ed|allowed|permitted)|forbidden|(ask|contact) (your|an|the) (\\w+ )?(admin|owner)|you need (the |an? )?.{1,40}\\b(role|permission|access|rights)\\b/',
      ),
      noClient: labels(
        '/create client|(no|not) (\\S+ ){0,4}client (yet|found|exists)|don.t have (a|any) (\\S+ ){0,2}client|create (a|your|an) (\\S+ ){0,3}client/',
      ),
      maintenance: labels(
        '/\\b(under|(down|offline) for|undergoing|in|scheduled|planned) (\\w+ )?maintenance\\b|maintenance (mode|in progress|is under ?way)|temporarily unavailable|(be|we.ll be) (right )?back (soon|shortly)|service unavailable/',
      ),
      /** The rotate dialog speaks of this … */
      rotating: labels('/\\b(rotat\\w+|regenerat\\w+|renew\\w*)\\b|new (client )?secret/'),
      /** … and never of this. */
      forbidden: labels(
        '/\\bdelet\\w*|\\bdestroy\\w*|\\b(remove|close|deactivate|disable)\\b((?!\\brotat).){0,20}\\b(client|account|organi[sz]ation|workspace|user)\\b/',
        '/\\brevok(e|es|ing)\\s+(\\w+\\s+)?(all|every)\\b|\\b(all|every)\\s+(\\w+\\s+){0,3}(will be|are|is|get)\\s+(\\w+\\s+)?revoked\\b/',
        '/\\b(all|every)\\b[^.]{0,20}\\b(token|session)s?\\b[^.]{0,40}\\b(revoked|invalidated|terminated)\\b/',
        '/\\brotat\\w*\\s+(the )?(client )?(secrets? (of|for) )?(all|every)\\b|\\bsecrets (of|for) (all|every)\\b|\\b(all|every) (\\w+ ){0,2}secrets? (will be|are|is|gets?) /',
        '/\\brotat\\w*\\s+(the |your |this )?(\\w+ )?((webhook|signing|encryption)\\b|api (key|token))/',
        '/\\bbill(ed|ing)\\b|[€$£]\\s?\\d|\\bpayment|\\bsubscription|\\binvoice|\\bcharged\\b|\\bpurchase|\\btransfer (the |your )?(ownership|client|account)/',
      ),
      /** The rotate dialog is still to say what it does. */
      loading: labels('/(^|\\n)\\W*loading\\W*(\\n|$)/'),
      /** What the rotate dialog asks for is to prove who asks, and nothing that it says itself. */
      proof: labels(
        '/^\\W*((the|your|a|an|my|current|account|login) ){0,3}(password|passcode|passphrase|pin|t?otp|((verification|security|one-time|authentication|authenticator|backup|recovery|sms|2fa|mfa|\\w+-digit) )+(code|password|pin)|code (\\w+ ){0,3}(sent|from|e-?mailed))\\b/',
      ),
      /** The portal blames itself for a login that it has not taken. */
      tryLater: labels('/went wrong|temporarily unavailable|(temporary|technical) (problem|error|issue|difficult)/'),
      /** After the login: another page will follow by itself. */
      goesOn: labels(
        '/redirecting|be(ing)? redirected|(signing|logging) (you )?in\\b|please wait|(just )?(a|one) moment/',
      ),
      failed: labels(
        '/\\b(error|failed|failure|went wrong|unable to|could not|couldn.t|not possible|expired|did not match|try again)\\b/',
      ),
      /** The first group is what to type, or what it is called. */
      typeThis: labels(
        '/\\b(?:type|typing|enter|entering|write|input)\\s+(?:in\\s+)?(?:the\\s+(?:following\\s+)?(?:word|text|phrase)s?:?\\s+)?(.{1,200})/',
      ),
    }),
    {},
  ),
  /** Pages and dialogs in between: what one says, and how it is answered. */
  interstitials: z._default(z.array(z.strictObject({ says: labelList, answer: labelList })), [
    {
      says: ['/(stay|keep me|remain) (signed|logged) in|(remember|trust) this (device|browser|computer)/'],
      answer: ['/^(no|not now|no,? thanks|don.t.*|skip|later)$/'],
    },
    {
      says: [
        '/what.s new|new feature|new in |introducing|take (a|the) tour|release notes|getting started|((add|create)|faster with) a passkey|(recovery|backup) (e-?mail|phone)|set up (a )?(passkey|two)/',
      ],
      answer: [
        '/^(skip\\b.{0,40}|not now|no,? thanks|maybe later|remind me later|later|close|dismiss|got it!?|ok|okay|continue( without .{1,30}| to (?!checkout|pay|cart|billing|order).{1,30})?)$/',
      ],
    },
    {
      // Of several second factors the one that works without a person.
      says: [
        '/^(?=[^]*(verif|authenticat|factor|2-step|security|sign|log))[^]*\\b(select|choose|pick) .{0,40}\\b(method|option|factor|way)\\b|verify (it.s you|your identity) with|approve (the |this |your )?(sign|log)-?in|sent (you )?(a |an )?(push )?notification/',
      ],
      answer: [
        '/^select$|^((select|use|choose) )?((an?|your|my|the) )?((google|microsoft) )?authenticat(or|ion)( app(lication)?)?( code)?( or similar)?\\.?$/',
        '/^((enter|use) )?(an? )?(verification|one-time) (code|password)( from my (mobile|authenticator) app)?$/',
        '/^(try|use) (another|a different) (method|way|option)$|^i can.t use .{1,40} right now$/',
      ],
    },
    {
      says: ['/\\bcookies?\\b|your privacy/'],
      answer: [
        '/^(reject|decline|refuse|deny)( all)?( cookies)?$/',
        '/^(use |accept |allow )?(only )?(strictly )?(necessary|essential)( cookies)?( only)?$/',
        '/^(close|dismiss|×|✕|continue without accepting)$/',
        '/^(accept|allow|agree)( to)?( all)?( cookies)?$|^(got it|ok|okay|i agree)!?$/',
      ],
    },
  ]),
  /** CSS, for what no label finds: each must match exactly one element. */
  locators: z.prefault(
    z.strictObject({
      username: css,
      password: css,
      oneTimeCode: css,
      submitLogin: css,
      profileMenu: css,
      clientId: css,
      clientSecret: css,
      dangerZone: css,
      rotate: css,
      dialog: css,
      confirm: css,
      wordField: css,
    }),
    {},
  ),
  times: z.prefault(
    z.strictObject({
      /** P, L and the margin between the two looks before adopting: design.md, "The rotation". */
      propagationMs: timeMs(defaultLimits.propagationMs),
      lateEffectMs: timeMs(defaultLimits.lateEffectMs),
      secondLookMarginMs: timeMs(defaultLimits.secondLookMarginMs),
      launchMs: timeMs(20_000),
      /** Login and Developer Tools, all pages together. */
      openMs: timeMs(120_000),
      /** The longest that a page may show nothing that is known. */
      pageMs: timeMs(20_000),
      /** How long a page must say that something is not there before it is believed. */
      settleMs: timeMs(1_500),
      clickMs: timeMs(5_000),
      /** From the click on "Rotate" until the dialog is ready for the press. */
      dialogMs: timeMs(20_000),
      /** From the press until the dialog has closed or spoken. */
      answerMs: timeMs(10_000),
      closeMs: timeMs(3_000),
    }),
    {},
  ),
});

export type PortalProfile = z.infer<typeof portalProfileSchema>;

export const defaultPortalProfile: PortalProfile = portalProfileSchema.parse({});

/**
 * The default profile with what the JSON names in its place.
 *
 * @throws {RotationError} configuration; names the path of each wrong key
 */
export function parsePortalProfile(json: string): PortalProfile {
  const invalid = (what: string) =>
    new RotationError({
      category: 'configuration',
      what: `the portal profile is not valid: ${what}`,
      retryable: false,
      pressed: 'no',
      action: 'correct the JSON in the SSM parameter; docs/portal.md describes its keys',
    });
  return parseJson(portalProfileSchema, json, invalid);
}

/** One pattern for a list of labels: whole texts, and whatever stands between slashes. */
export function anyOf(alternatives: readonly string[]): RegExp {
  return new RegExp(alternatives.map(source).join('|'), 'i');
}

function source(text: string): string {
  const pattern = slashed.exec(text)?.[1];
  return pattern === undefined
    ? `^\\s*${RegExp.escape(text.trim()).replace(/(?:\\x20|\s)+/g, '\\s+')}\\s*$`
    : `(?:${pattern})`;
}

function compiles(text: string): boolean {
  try {
    anyOf([text]);
    return true;
  } catch {
    return false;
  }
}
