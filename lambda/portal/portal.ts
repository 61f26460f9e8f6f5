import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Locator } from 'playwright-core';
import type { DeveloperTools, Finding, Log, Portal, PortalAccount, RotateDialog } from '../rotation/ports.ts';
import { type Pressed, RotationError } from '../rotation/rotation-error.ts';
import { PortalBrowser } from './browser.ts';
import { clientIds, clientPart, readSecret, secretHolders, showsAnotherClient } from './client.ts';
import { findRotate } from './danger-zone.ts';
import { oneLine } from './dialog-words.ts';
import { type EvidenceStore, maskedScreenshot } from './evidence.ts';
import { fromBrowser, refusal, trouble } from './failures.ts';
import { reachDeveloperTools } from './login.ts';
import { oneTimeCodes } from './one-time-code.ts';
import { type Origins, originsFor } from './origins.ts';
import { outlineOf, placeOf, withoutValues, withoutWritings } from './outline.ts';
import { untilNextLook, whileReplaced } from './page-actions.ts';
import { anyOf, defaultPortalProfile, type PortalProfile } from './profile.ts';
import { CertainlyNotPressed, furtherQuestion, type OpenDialog, openDialog } from './rotate-dialog.ts';
import type { Way } from './way.ts';

export interface PortalOptions {
  /** @default in English */
  profile?: PortalProfile | undefined;
  /** @default nothing is kept but what is logged */
  evidence?: EvidenceStore | undefined;
  log?: Log | undefined;
  /** An installed Chromium, shown in a window. @default the package's own, which has none */
  chromiumPath?: string | undefined;
}

type SessionOptions = PortalOptions & { profile: PortalProfile };

/** Failing to keep evidence hides no failure, and takes no longer than this. */
const evidenceTimeoutMs = 6_000;

const unanswered = (what: string) => trouble('portal-unavailable', `after the press ${what}`);

/** The portal, driven by Chromium. */
export function playwrightPortal(options: PortalOptions): Portal {
  let session: Session | undefined;
  return {
    findings: () => session?.findings() ?? [],
    async open(account, signal) {
      session = new Session({ ...options, profile: options.profile ?? defaultPortalProfile }, account);
      try {
        await session.open(signal);
      } catch (error) {
        await session.close();
        throw error;
      }
      return session;
    },
  };
}

class Session implements DeveloperTools {
  readonly #options: SessionOptions;
  readonly #account: PortalAccount;
  readonly #origins: Origins;
  readonly #log: Log;
  readonly #findings = new Map<string, Finding>();
  readonly #timings: string[] = [];
  readonly #told = new Set<string>();
  #way: Way | undefined;
  #dialog: OpenDialog | undefined;
  /** What the page showed last. */
  #secret: string | undefined;
  /** What it showed instead while the press was being answered. */
  #justShown: string | undefined;
  /** A tab has taken the place of the credentials. */
  #mustReload = false;
  /** Nothing was done on the page since it was loaded. */
  #fresh = false;
  #pressed: Pressed = 'no';
  #loginsLeft = 1;
  #askedFurther = false;
  #troubledAfterPress = false;

  constructor(options: SessionOptions, account: PortalAccount) {
    this.#options = options;
    this.#account = account;
    this.#log = options.log ?? (() => undefined);
    const { trustedOrigins, assetOrigins } = options.profile;
    this.#origins = originsFor(account.developerToolsUrl, trustedOrigins, assetOrigins);
    if (account.totpSecret !== undefined) oneTimeCodes(account.totpSecret);
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.#stage('opening the portal', this.#times.openMs, signal, async (stop) => {
      await this.#reach(stop);
      this.#loginsLeft = 1;
      this.#fresh = true;
    });
  }

  look(signal: AbortSignal): Promise<string> {
    return this.#stage('looking at Developer Tools', this.#times.openMs, signal, async (stop) => {
      if (!this.#fresh) {
        await this.#refuseQuestion();
        await this.#reach(stop);
      }
      this.#fresh = false;
      return this.#read(this.#times.pageMs);
    });
  }

  shown(signal: AbortSignal): Promise<string> {
    const { clickMs } = this.#times;
    if (this.#mustReload) return this.look(signal);
    return this.#stage('reading the client secret', clickMs * 2, signal, async () => {
      const justShown = this.#justShown;
      this.#justShown = undefined;
      if (this.#dialog?.blocksPage && this.#secret !== undefined) return this.#secret;
      await this.#refuseAnswer();
      return justShown ?? this.#read(clickMs);
    });
  }

  async openRotateDialog(signal: AbortSignal): Promise<RotateDialog> {
    const { clickMs, dialogMs } = this.#times;
    const dialog = await this.#stage('opening the rotate dialog', 2 * clickMs + 2 * dialogMs, signal, async () => {
      const way = this.#living();
      const shown = await this.#read(clickMs);
      this.#fresh = false;
      const opened = await openDialog(way, shown);
      this.#dialog = opened;
      return opened;
    });
    return {
      press: (stop, withinMs) => this.#press(dialog, stop, withinMs),
      cancel: (stop) => this.#cancel(dialog, stop),
    };
  }

  async rehearse(signal: AbortSignal): Promise<void> {
    await this.#stage('finding "Rotate"', this.#times.clickMs * 4, signal, async () => {
      await this.#describeClient();
      await this.#found('rotate', (await findRotate(this.#living())).rotate);
    });
    if (this.#options.profile.preflightOpensDialog) {
      const dialog = await this.openRotateDialog(signal);
      for (const [name, what] of Object.entries(this.#dialog?.findings ?? {})) await this.#found(name, what);
      await dialog.cancel(signal);
    }
    this.#notePage(true, await this.#outline(this.#living().browser));
  }

  findings(): readonly Finding[] {
    return [...this.#findings.values(), { name: 'timing', ok: true, detail: this.#timings.join(', ') }];
  }

  async close(): Promise<void> {
    const browser = this.#way?.browser;
    this.#way = undefined;
    if (browser && !browser.broken && this.#troubledAfterPress)
      await this.#keepEvidence(browser, await this.#outline(browser));
    await browser?.close();
  }

  async #press(dialog: OpenDialog, signal: AbortSignal, withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { clickMs, answerMs } = this.#times;
    const untilMs = performance.now() + withinMs;
    await this.#stage('the press', clickMs + answerMs, signal, async () => {
      this.#pressed = 'unknown';
      this.#mustReload = dialog.hidesClient;
      this.#living().browser.expectPress();
      try {
        await dialog.press(untilMs);
      } catch (error) {
        if (!(error instanceof CertainlyNotPressed)) throw error;
        this.#pressed = 'no';
        const what = `${error.message}; it was not pressed`;
        if (error.cause instanceof RotationError) throw error.cause.with({ what: `${what}: ${error.cause.what}` });
        throw trouble('portal-changed', what);
      }
      this.#log('press');
      await this.#answered(dialog);
    });
  }

  /** Until the dialog has gone or complains, or the page shows another secret. @throws what the portal says instead */
  async #answered(dialog: OpenDialog): Promise<void> {
    const way = this.#living();
    const { browser } = way;
    const beganMs = performance.now();
    for (let looks = 1; ; looks++) {
      await this.#refuseAnswer();
      // Loading the page anew would abort the request.
      const mayReload = !dialog.blocksPage && !dialog.hidesClient;
      const waitedMs = performance.now() - beganMs;
      const went = mayReload || browser.pressAnswered || (!browser.pressSent && waitedMs > this.#times.settleMs);
      if (went && !(await dialog.isOpen())) break;
      // A dialog may stay, and say that all is well.
      const shown = looks % 8 === 0 ? await readSecret(way, false).catch(() => undefined) : undefined;
      if (shown !== undefined && shown !== this.#secret) {
        this.#justShown = shown;
        this.#told.add(shown);
        break;
      }
      const complaint = looks % 10 === 0 ? await dialog.complaint() : undefined;
      if (complaint !== undefined) throw unanswered(`the dialog stayed open: ${complaint}`);
      if (waitedMs > this.#times.answerMs) {
        const news = await dialog.news();
        throw unanswered(`the dialog stayed open for ${this.#times.answerMs} ms${news && `, and says: ${news}`}`);
      }
      await sleep(5);
    }
    this.#dialog = undefined;
  }

  /** The portal's answer may come after its dialog has gone. */
  async #refuseAnswer(): Promise<void> {
    const { browser } = this.#living();
    const { writeFailed, askedAgain } = browser;
    if (this.#pressed === 'no') return;
    browser.writeFailed = undefined;
    browser.askedAgain = undefined;
    if (writeFailed) {
      const alerts = browser.page.locator('[role=alert],[role=status]').filter({ visible: true });
      const said = oneLine((await alerts.allInnerTexts().catch(() => [])).join(' '));
      throw unanswered(`${writeFailed}${said && `, and the page says: ${said}`}`);
    }
    if (askedAgain !== undefined) throw unanswered(`the page asked again: ${withoutValues(askedAgain)}`);
  }

  /** Once, before the page is loaded anew. */
  async #refuseQuestion(): Promise<void> {
    if (
      this.#pressed === 'no' ||
      this.#dialog !== undefined ||
      this.#askedFurther ||
      !this.#way ||
      this.#way.browser.broken
    )
      return;
    this.#askedFurther = true;
    const question = await furtherQuestion(this.#way).catch(() => undefined);
    if (question !== undefined) throw unanswered(`another dialog asked once more, and was left alone: ${question}`);
  }

  async #cancel(dialog: OpenDialog, signal: AbortSignal): Promise<void> {
    await this.#stage('cancelling the rotate dialog', this.#times.clickMs * 2, signal, async () => {
      this.#dialog = undefined;
      await dialog.cancel();
    });
  }

  /** To Developer Tools of the client, with a new browser where there is none that works. */
  async #reach(signal: AbortSignal): Promise<void> {
    if (!this.#way || this.#way.browser.broken) {
      await this.#way?.browser.close();
      const { profile, chromiumPath } = this.#options;
      const browser = await PortalBrowser.start({
        profile,
        origins: this.#origins,
        chromiumPath,
        singleProcessFallback: this.#pressed === 'no',
      });
      this.#log('browser-started');
      const [account, origins, told, log] = [this.#account, this.#origins, this.#told, this.#log];
      this.#way = { browser, profile, account, origins, loginsLeft: 0, told, log };
      if (signal.aborted) await browser.close();
    }
    this.#dialog = undefined;
    this.#mustReload = false;
    this.#way.browser.sendsOnce = false;
    this.#way.loginsLeft = this.#loginsLeft;
    try {
      await reachDeveloperTools(this.#way, signal);
    } finally {
      this.#loginsLeft = this.#way.loginsLeft;
    }
    this.#log('developer-tools');
  }

  /** The client secret, as soon as the page shows it. */
  async #read(timeoutMs: number): Promise<string> {
    const way = this.#living();
    for (const beganMs = performance.now(); ; await untilNextLook(beganMs)) {
      const mayClick = this.#dialog === undefined;
      const secret = await readSecret(way, mayClick).catch(whileReplaced);
      if (secret !== undefined) {
        this.#secret = secret;
        this.#told.add(secret);
        return secret;
      }
      if (this.#dialog?.hidesClient === false && (await showsAnotherClient(way).catch(whileReplaced)))
        throw trouble(
          'portal-changed',
          'under the open dialog the page has changed to another client',
          'none if the retry succeeds; otherwise see by hand what Developer Tools shows',
        );
      // Under the open dialog nothing can be clicked: a field that hides its value has just been read.
      if (!mayClick && this.#secret !== undefined) return this.#secret;
      if (performance.now() < beganMs + timeoutMs) continue;
      const ours = await clientPart(way).count();
      if (ours !== 1)
        throw trouble(
          'portal-changed',
          'the page does not show the expected client id any more',
          'none if the retry succeeds; otherwise see by hand what Developer Tools shows',
        );
      throw refusal(
        'portal-changed',
        `no client secret can be read within ${timeoutMs} ms: nothing, a mask, or no single line stands there`,
        'open Developer Tools by hand; set labels.clientSecret, labels.reveal or locators.clientSecret in the portal profile',
      );
    }
  }

  #living(): Way {
    if (!this.#way) throw trouble('portal-unavailable', 'the browser is closed');
    return this.#way;
  }

  get #times() {
    return this.#options.profile.times;
  }

  async #describeClient(): Promise<void> {
    const way = this.#living();
    await this.#found('client-id', clientIds(clientPart(way), way.profile));
    await this.#found('client-secret', secretHolders(way.browser.page.locator('body'), way.profile));
  }

  async #outline({ page }: PortalBrowser): Promise<string> {
    return this.#withoutTold(await outlineOf(page).catch(() => 'not readable'));
  }

  #notePage(ok: boolean, outline: string): void {
    this.#note('page', ok, outline.slice(0, 8_000));
  }

  async #found(name: string, what: Locator | string): Promise<void> {
    const detail =
      typeof what === 'string'
        ? what
        : await what
            .first()
            .ariaSnapshot({ timeout: 500 })
            .catch(() => 'something');
    this.#note(name, true, this.#withoutTold(withoutValues(detail)).split('\n').slice(0, 2).join(' ').slice(0, 200));
  }

  /** Whatever form it has: a secret of plain words looks like none. */
  #withoutTold(text: string): string {
    const { password, totpSecret = '' } = this.#account;
    return withoutWritings(text, [...this.#told, password, totpSecret]);
  }

  #note(name: string, ok: boolean, detail: string): void {
    this.#findings.set(name, { name, ok, detail });
  }

  /** Runs what a caller asked for: bounded, cancellable, and with every failure in our own words. */
  async #stage<T>(
    stage: string,
    timeoutMs: number,
    signal: AbortSignal,
    body: (stop: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const beganMs = performance.now();
    const ends = new AbortController();
    const late = Promise.withResolvers<never>();
    const giveUp = (error: RotationError) => {
      late.reject(error);
      ends.abort();
      // What still runs must not click anything any more.
      if (this.#way) this.#way.browser.broken ??= 'it was given up';
      void this.#way?.browser.page
        .context()
        .close()
        .catch(() => undefined);
    };
    const stopped = () =>
      giveUp(
        trouble(
          'timeout',
          `${stage}: the invocation’s time was up`,
          'none if the retry succeeds; otherwise give the function a longer timeout',
        ),
      );
    const timer = setTimeout(() => giveUp(trouble('timeout', `${stage} took longer than ${timeoutMs} ms`)), timeoutMs);
    signal.addEventListener('abort', stopped, { once: true });
    if (signal.aborted) stopped();
    try {
      return await Promise.race([late.promise, ends.signal.aborted ? late.promise : body(ends.signal)]);
    } catch (error) {
      throw await this.#explained(error, stage);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stopped);
      this.#timings.push(`${stage} ${Math.round(performance.now() - beganMs)} ms`);
    }
  }

  async #explained(error: unknown, stage: string): Promise<RotationError> {
    const browser = this.#way?.browser;
    const broken = browser?.broken;
    let failure =
      error instanceof RotationError || !broken
        ? fromBrowser(error, stage)
        : trouble('portal-unavailable', `${stage}: ${broken}`);
    if (browser && browser.blocked.size > 0) {
      const blocked = [...browser.blocked].slice(0, 10).join(', ');
      failure = failure.with({
        action: `${failure.action}; the page was kept from ${blocked}: trustedOrigins or assetOrigins in the portal profile would allow that`,
      });
    }
    failure = failure.with({ what: this.#withoutTold(failure.what), action: this.#withoutTold(failure.action) });
    if (this.#pressed !== 'no') {
      this.#troubledAfterPress = true;
      return failure.with({ pressed: this.#pressed });
    }
    this.#note(stage, false, failure.what);
    if (!browser || broken) return failure;
    const outline = await this.#outline(browser);
    this.#notePage(false, outline);
    const where = await this.#keepEvidence(browser, outline);
    return where === undefined ? failure : failure.with({ what: `${failure.what} (evidence: ${where})` });
  }

  async #keepEvidence(browser: PortalBrowser, outline: string): Promise<string | undefined> {
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), evidenceTimeoutMs);
    try {
      return await Promise.race([late.promise, this.#writeEvidence(browser, outline)]);
    } catch (error) {
      this.#log('evidence', {
        kept: false,
        why: error instanceof RotationError ? error.what : 'it could not be taken or written',
      });
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async #writeEvidence({ page }: PortalBrowser, outline: string): Promise<string | undefined> {
    const url = this.#withoutTold(placeOf(page.url()) ?? '');
    this.#log('evidence', { url, outline: outline.slice(0, 8_000), timing: this.#timings });
    const store = this.#options.evidence;
    if (!store) return undefined;
    const setsUp = anyOf(this.#options.profile.messages.enrolment).test(outline);
    const screenshot = await maskedScreenshot(page, this.#told, setsUp);
    const name = `portal/${new Date().toISOString().replaceAll(':', '-')}-${randomUUID()}`;
    const text = [`url: ${url}`, `timing: ${this.#timings.join(', ')}`, '', outline].join('\n');
    const [where] = await Promise.all([
      store.write(`${name}.txt`, text, 'text/plain; charset=utf-8'),
      screenshot && store.write(`${name}.png`, screenshot, 'image/png'),
    ]);
    return where;
  }
}
