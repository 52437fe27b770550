import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { isObject, type Json } from '../../../src/core/json.ts'
import { need, want, wantSame } from '../verdict.ts'
import { wantOneAccount, wantSecretsRefused, wantSettingsRefused } from './account.ts'
import type { Check } from './check.ts'

const CONFIG = path.join(import.meta.dirname, '..', '..', '..', 'config')

export const ACCESS: readonly Check[] = [
  {
    name: 'check names the account, the same each time',
    contract: 'Connector.check: the accountId is what tells two connections to one account apart.',
    per: 'connector',
    async run(rig) {
      await rig.at.seed(1)
      await wantOneAccount(rig)
    },
  },
  {
    name: 'bad credentials fail check as auth, with a message that says what to do',
    contract: 'Connector.check: "Throws a VendorError of kind auth where they do not [work]".',
    per: 'connector',
    async run(rig) {
      await wantSecretsRefused(rig)
    },
  },
  {
    name: 'bad settings are refused by the name of the setting',
    contract: 'Failure of kind rejected: `field` names what to correct, here the setting of the connection.',
    per: 'connector',
    async run(rig) {
      await wantSettingsRefused(rig, {})
    },
  },
  {
    name: 'discover lists every field that the shipped mapping uses',
    contract:
      'Resource.discover: "The remote fields that mappings may name"; others are taken for typing errors.',
    per: 'resource',
    async run(rig) {
      const file = need(rig.bench.mapping, 'no mapping is shipped')
      await rig.at.seed(1)
      const known = (await rig.resource.discover(rig.io)).map((field) => field.path)
      wantSame(new Set(known).size, known.length, 'discover lists a field twice')
      const used = fieldsUsed(file, rig.resourceName)
      want(used.length > 0, `config/${file} has no stream ${rig.resourceName} with fields`)
      const missing = used.filter((name) => !known.some((at) => name === at || name.startsWith(`${at}.`)))
      wantSame(missing, [], `discover does not list what config/${file} uses`)
    },
  },
]

/** Every remote path that a stream of a mapping file names. */
function fieldsUsed(file: string, stream: string): string[] {
  const read = parse(readFileSync(path.join(CONFIG, file), 'utf8')) as Json
  const found = at(at(read, 'streams'), stream)
  const fields = at(found, 'fields')
  const consent = at(found, 'consent')
  const named = [
    ...(Array.isArray(fields) ? fields.map((field: Json) => at(field, 'remote')) : []),
    at(consent, 'address'),
    at(at(consent, 'state'), 'path'),
    at(consent, 'explicitAt'),
    at(consent, 'reason'),
  ]
  return named
    .flatMap((name) => (isObject(name) ? Object.values(name) : [name]))
    .filter((name) => typeof name === 'string')
}

const at = (value: Json | undefined, key: string) => (isObject(value) ? value[key] : undefined)
