/** Where the login is typed: fields known by their kind or their name, in forms that could take one. */
import type { Locator, Page } from 'playwright-core';
import { type Search, searching } from './page-search.ts';
import type { PortalProfile } from './profile.ts';

export type Field = 'username' | 'password' | 'code';

/** What tells a field without a name that is known. */
const kinds = {
  username:
    '[autocomplete~=username],[autocomplete~=email],[type=email],[name=username i],[name=email i],[name=login i]',
  password: '[type=password]:not([maxlength="1"],[autocomplete~=one-time-code]),[autocomplete~=current-password]',
  code: '[autocomplete~=one-time-code],[name*=otp i],[name=code i],[maxlength="1"]',
};

/** A code that is no one-time code. */
const promotion = ['name', 'placeholder']
  .flatMap((attribute) => ['promo', 'coupon', 'voucher'].map((word) => `[${attribute}*=${word} i]`))
  .join();

export function loginSearches({ labels, locators }: PortalProfile): Record<Field, Search> {
  const ofForm = {
    find: 'login-field',
    fields: `${kinds.username},${kinds.password}`,
    submit: labels.submitLogin,
    otherForms: labels.otherForms,
  } as const;
  const given = (css: string | undefined, otherwise: Search): Search => (css ? { find: 'matching', css } : otherwise);
  return {
    username: given(locators.username, {
      ...ofForm,
      kind: kinds.username,
      label: labels.username,
      otherLabels: labels.password,
      besideToo: true,
    }),
    password: given(locators.password, {
      ...ofForm,
      kind: kinds.password,
      label: labels.password,
      otherLabels: labels.username,
      besideToo: false,
    }),
    code: given(locators.oneTimeCode, {
      find: 'code-field',
      kind: kinds.code,
      other: promotion,
      label: labels.oneTimeCode,
      otherLabels: labels.password,
      besideToo: true,
    }),
  };
}

export function loginFields(page: Page, profile: PortalProfile): Record<Field, Locator> {
  const { username, password, code } = loginSearches(profile);
  return { username: searching(page, username), password: searching(page, password), code: searching(page, code) };
}
