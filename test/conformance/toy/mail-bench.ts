import { generateKeyPair } from 'jose'
import type { Connector } from '../../../src/connectors/connector.ts'
import { sandboxFetch } from '../../../src/sandbox/faults.ts'
import type { MailBench } from '../mail-bench.ts'
import { pigeons } from './mail-connector.ts'
import { createPigeons, HOOK, keysOf, notice, TOKEN } from './pigeons.ts'

const T0 = Date.parse('2026-03-01T09:00:00Z')
const ANN = 'ann@loft.example'
const BEN = 'ben@loft.example'
const NOBODY = 'nobody@loft.example'

/** `connector` is made anew for every process, so that one which remembers things is found out. */
export function toyMailBench(connector: () => Connector = () => pigeons): MailBench {
  return {
    name: 'pigeons',
    async open() {
      const clock = { now: T0 }
      const vendor = createPigeons(() => clock.now, [ANN, BEN])
      const settings = {
        baseUrl: 'http://127.0.0.1:4016',
        webhookUrl: HOOK,
      }
      return {
        connector,
        secrets: { token: TOKEN },
        settings,
        transport: sandboxFetch(vendor.app),
        clock,
        badSecrets: [{}, { token: 'wr0ngwr0ng' }],
        badSettings: [{ field: 'baseUrl', settings: { baseUrl: 7 } }],
        faults: vendor.faults,
        address: ANN,
        other: BEN,
        nobody: { id: NOBODY, address: NOBODY, addresses: [NOBODY] },
        pageMax: 25,
        threePages: 30,
        unknownIds: ['l-none', '../x', 'a?b#c'],
        deliver: vendor.receive,
        send: vendor.send,
        draft: async (box, letter) => vendor.change(box, await vendor.send(box, letter), { flag: 'draft' }),
        file: (box, id, name) => vendor.change(box, id, { labels: [name] }),
        unfile: (box, id) => vendor.change(box, id, { labels: [] }),
        rename: vendor.rename,
        spam: (box, id) => vendor.change(box, id, { flag: 'spam' }),
        trash: (box, id) => vendor.change(box, id, { flag: 'trash' }),
        remove: vendor.remove,
        unreadable: (box) => vendor.arrive(box, '\r\nWords without a header.', null),
        expire: vendor.expire,
        contents: vendor.contents,
        webhooks: {
          url: HOOK,
          secret: null,
          keys: keysOf,
          deliveries: vendor.deliveries,
          async forgeries({ url }) {
            const said = { event: 'e1', box: ANN, kind: 'changed' }
            const { privateKey } = await generateKeyPair('RS256')
            return [
              {
                what: 'signed with a key of others',
                raw: await notice(url, said, clock.now, { key: privateKey }),
              },
              {
                what: 'for another hub',
                raw: await notice(url, said, clock.now, { audience: 'https://x.example' }),
              },
            ]
          },
          elsewhere: [{ what: 'another hub', settings: { ...settings, webhookUrl: 'https://x.example' } }],
          livesMs: 3_600_000,
          lapse: vendor.lapse,
        },
      }
    },
  }
}
