import { outlook } from '../../src/connectors/outlook/index.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createGraphSandbox, type GraphSandbox } from '../../src/sandbox/graph/index.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { serveSandbox } from '../../src/sandbox/serve.ts'
import type { Bench, ResourceStand } from './bench.ts'

const T0 = Date.parse('2026-03-01T09:00:00Z')
const ANNA = 'anna@contoso.example'

export const outlookBench: Bench = {
  name: 'outlook',
  resources: ['contacts'],
  mapping: 'outlook.yaml',
  async open({ served }) {
    const clock = { now: T0 }
    const now = served ? () => Date.now() : () => clock.now
    const vendor = createGraphSandbox({
      now,
      random: seeded(13),
      users: [ANNA],
      tokenSeconds: 365 * 86_400,
      // The vendor brings of an edit what changed, and empty pages: the contract has to hold all the same.
      switches: { sparseUpdates: true, emptyPages: 0.2, repeats: 0.1 },
      deliver: () => Promise.reject(new Error('nobody listens')),
    })
    const server = served ? await serveSandbox(vendor.app) : null
    const baseUrl = server?.url ?? 'http://127.0.0.1:4013'
    const tokenUrl = `${baseUrl}/contoso.example/oauth2/v2.0/token`
    const settings = { tenant: 'contoso.example', baseUrl, tokenUrl }
    const secrets = { clientId: vendor.application.id, accessToken: vendor.token(ANNA) }
    return {
      connector: () => outlook,
      secrets,
      settings,
      transport: served ? fetch : sandboxFetch(vendor.app),
      ...(served ? {} : { clock }),
      badSecrets: [
        {},
        { ...secrets, accessToken: 'eyJ0.wrong.wrong' },
        { clientId: vendor.application.id, clientSecret: 'wrong' },
        { clientId: 'wrong', clientSecret: vendor.application.secret },
      ],
      badSettings: [
        { field: 'baseUrl', settings: { ...settings, baseUrl: 'http://vendor.example' } },
        { field: 'baseUrl', settings: { ...settings, baseUrl: 'nowhere' } },
        { field: 'mailboxes', settings: { ...settings, mailboxes: [] } },
        { field: 'mailboxes', settings: { ...settings, mailboxes: ['not an address'] } },
        { field: 'mailboxes', settings: { ...settings, mailboxes: ['nobody@contoso.example'] } },
        {
          field: 'contactMailbox',
          settings: { ...settings, mailboxes: [ANNA], contactMailbox: 'ben@contoso.example' },
        },
        { field: 'contactFolder', settings: { ...settings, contactFolder: 'AQMkNowhere' } },
        { field: 'contactFolder', settings: { ...settings, contactFolder: 7 } },
      ],
      faults: vendor.faults,
      refused: () => vendor.refused(),
      resources: { contacts: contacts(vendor) },
      close: async () => server?.close(),
    }
  },
}

function contacts({ people, vendor }: GraphSandbox): ResourceStand {
  let made = 0
  let edits = 0
  const add = (fields: JsonObject) => people.addContact(ANNA, fields).ids.immutable
  const body = (n: number): JsonObject => ({
    givenName: `First ${n}`,
    surname: `Last ${n}`,
    emailAddresses: [
      { address: `new${n}@example.com` },
      { address: `second${n}@example.com`, name: 'At home' },
    ],
    businessPhones: [`+49 30 ${1000 + n}`],
    mobilePhone: `+49 170 ${1000 + n}`,
    businessAddress: { street: `${n} Main St`, city: 'Berlin', countryOrRegion: 'Germany' },
  })
  return {
    // 100 are asked for; the vendor may bring some of those before along again.
    pageMax: 200,
    threePages: 250,
    seed: (count) =>
      Array.from({ length: count }, () => {
        const n = ++made
        return add({
          givenName: `Given ${n}`,
          surname: `Sur ${n}`,
          emailAddresses: [{ address: `person${n}@example.com`, name: `Given ${n}` }],
        })
      }),
    count: () => people.contacts(ANNA).length,
    edit: {
      path: 'givenName',
      act: (id) => void people.editContact(ANNA, id, { givenName: `Edited ${++edits}` }),
    },
    remove: (id) => people.deleteContact(ANNA, id),
    plant: (givenName) => add({ givenName }),
    unknownIds: ['AAkANobody=', '../x', 'a?b#c'],
    expire: () => vendor.expireDelta(ANNA),
    push: {
      body,
      update: { path: 'surname', patch: (n) => ({ surname: `Updated ${n}` }) },
      clear: { path: 'mobilePhone', patch: { mobilePhone: null } },
      bad: {
        body: { ...body(1), emailAddresses: [1, 2, 3, 4].map((n) => ({ address: `a${n}@example.com` })) },
        field: 'emailAddresses',
      },
      text: { path: 'surname', body: (n, surname) => ({ givenName: `Text ${n}`, surname }) },
      removeOurs: (id) => people.deleteContact(ANNA, id),
      conditional: true,
      unmapped: {
        fill: (id) =>
          void people.editContact(ANNA, id, {
            assistantName: 'Theirs',
            fileAs: 'Theirs, all',
            imAddresses: ['im@example.com'],
            homeAddress: { city: 'Potsdam' },
            categories: ['VIP'],
          }),
        whole: (id) => people.contact(ANNA, id)?.fields ?? null,
      },
    },
  }
}
