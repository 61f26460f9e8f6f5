/** A rule of the design, broken: in which file of lambda/rotation/ what stands instead of what. */
export interface Variant {
  name: string;
  edits: readonly [file: string, rule: string, broken: string][];
  /** Which search of the suite finds it: a part of its name. */
  caughtBy: string;
  /** What the model says of it. */
  caughtAs: RegExp;
}

export const variants: readonly Variant[] = [
  {
    name: 'a slot keyed by the rotation token',
    edits: [
      [
        '1c-slot.ts',
        'slotId(description.arn, current.version.versionId, nextAttempt)',
        'slotId(description.arn, run.token, nextAttempt)',
      ],
    ],
    caughtBy: 'two invocations',
    caughtAs: /pressed again/,
  },
  {
    name: 'no mutex on the slot',
    edits: [['1c-slot.ts', "if (outcome === 'conflict') {", "if (outcome === 'conflict' && !run.step) {"]],
    caughtBy: 'a calm provider',
    caughtAs: /pressed again/,
  },
  {
    name: 'a second press after P instead of W',
    edits: [
      [
        'limits.ts',
        'return slotToPressMs + limits.lateEffectMs + limits.propagationMs + clockSkewMs;',
        'return limits.propagationMs;',
      ],
    ],
    caughtBy: 'takes effect late',
    caughtAs: /pressed again/,
  },
  {
    name: 'adopting after one look',
    edits: [['1b-decide.ts', 'secondLookAfterMs(limits) - steadyMs', '0 - steadyMs']],
    caughtBy: 'back and forth',
    caughtAs: /superseded/,
  },
  {
    name: 'the slot kept in the rotating secret',
    edits: [
      ['1c-slot.ts', 'secrets.put(current.secret.bridge_secret_arn,', 'secrets.put(run.secretId,'],
      ['1c-slot.ts', "labels: ['AWSCURRENT'],", "labels: ['SLOT'],"],
      ['secrets.ts', 'read(bridgeArn, { label })', "read(run.secretId, { label: 'SLOT' })"],
    ],
    caughtBy: 'a calm provider',
    caughtAs: /neither a rotation nor a preflight/,
  },
  {
    name: 'a label kept on a superseded version',
    edits: [
      ['labels.ts', 'if (own.includes(label)) await', "if (own.includes(label) && label !== 'AWSPENDING') await"],
    ],
    caughtBy: 'a calm provider',
    caughtAs: /AWSPENDING is left behind/,
  },
  {
    name: 'an event forgotten',
    edits: [['rotated-due.ts', 'await ports.events.publish({', 'void ({']],
    caughtBy: 'a calm provider',
    caughtAs: /no rotated.v1/,
  },
  {
    name: 'the label of an event dropped before it is published',
    edits: [
      [
        'rotated-due.ts',
        'await ports.events.publish({',
        'await dropLabel(run, ports, rotatedDue, versionId);\n  await ports.events.publish({',
      ],
    ],
    caughtBy: 'a calm provider',
    caughtAs: /no rotated.v1/,
  },
  {
    name: 'a second login after a refusal',
    edits: [
      [
        'secrets.ts',
        'description.tags.get(tagLoginRefused) === version.versionId',
        'description.arn === version.versionId',
      ],
    ],
    caughtBy: 'a calm provider',
    caughtAs: /logged in again/,
  },
  {
    name: 'a press before the slot',
    edits: [
      [
        '1d-press.ts',
        'const slotBeganMs = await takeSlot(run, ports, found);',
        'await dialog.press(run.signal);\n    const slotBeganMs = await takeSlot(run, ports, found);',
      ],
      ['1d-press.ts', 'await lastChecks(run, ports, found, slotBeganMs);', 'void slotBeganMs;'],
      ['1d-press.ts', 'const trouble = await click(run, dialog, leftMs);', 'const trouble = undefined;'],
    ],
    caughtBy: 'a calm provider',
    caughtAs: /pressed again/,
  },
  {
    name: 'no last look before the press',
    edits: [['1d-press.ts', 'await lastChecks(run, ports, found, slotBeganMs);', 'void slotBeganMs;']],
    caughtBy: 'lagging reads',
    caughtAs: /pressed again/,
  },
  {
    name: 'storing after closing the browser',
    edits: [
      [
        '1-create-secret.ts',
        "await store(run, ports, seen, clientSecret, 'yes');",
        "await seen.tools.close();\n  await store(run, ports, seen, clientSecret, 'yes');",
      ],
    ],
    caughtBy: 'takes effect late',
    caughtAs: /downtime: the new client secret was seen/,
  },
  {
    name: 'AWSCURRENT moved before the test',
    edits: [
      [
        '3-test-secret.ts',
        'const answer = await askUntilAccepted(run, ports, pending);',
        'if (pending) return;\n  const answer = await askUntilAccepted(run, ports, pending);',
      ],
    ],
    caughtBy: 'a calm provider',
    caughtAs: /the endpoint had not accepted/,
  },
  {
    name: 'giving up a new client secret that the endpoint has not learnt of yet',
    edits: [['3-test-secret.ts', 'beganMs > supersededAfterMs(run.limits)', 'beganMs >= 0']],
    caughtBy: 'takes effect late',
    caughtAs: /downtime: client-secret-\d+ is valid and no longer AWSCURRENT nor AWSPENDING/,
  },
];
