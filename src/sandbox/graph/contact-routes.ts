import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Env } from './access.ts'
import {
  type Contact,
  CONTACT_ADDRESSES,
  CONTACT_LISTS,
  CONTACT_MOST,
  CONTACT_PROPERTIES,
  CONTACT_TEXTS,
  type ContactFolder,
  contactFields,
} from './contact.ts'
import { answerDelta, type DeltaTokens } from './delta.ts'
import { badRequest, folderNotFound, itemNotFound, staleChangeKey } from './errors.ts'
import { editContact, putContact, removeContact } from './items.ts'
import { answerList, bodyAs, withoutFilter } from './listing.ts'
import { changeKey, etag, time } from './message-view.ts'
import { fits, preferencesOf, type Query, readFilter, readQuery } from './query.ts'
import { type GraphState, newContactFolder } from './state.ts'

const text = z.string().nullable()
const address = z.strictObject({
  street: text.optional(),
  city: text.optional(),
  state: text.optional(),
  countryOrRegion: text.optional(),
  postalCode: text.optional(),
})
const contactBody = z.strictObject({
  ...Object.fromEntries(CONTACT_TEXTS.map((name) => [name, text.optional()])),
  ...Object.fromEntries(CONTACT_LISTS.map((name) => [name, z.array(z.string()).optional()])),
  ...Object.fromEntries(CONTACT_ADDRESSES.map((name) => [name, address.nullable().optional()])),
  '@odata.type': z.literal('#microsoft.graph.contact').optional(),
  emailAddresses: z.array(z.strictObject({ address: z.string(), name: text.optional() })).optional(),
  singleValueExtendedProperties: z.array(z.strictObject({ id: z.string(), value: z.string() })).optional(),
})
const folderBody = z.object({ displayName: z.string().min(1) })

type Patch = Pick<Contact, 'fields' | 'extended'>

/** https://learn.microsoft.com/en-us/graph/api/resources/contact */
export function contactRoutes(state: GraphState, tokens: DeltaTokens): Hono<Env> {
  const routes = new Hono<Env>()

  routes.get('/contactFolders', (c) => {
    const { contactFolders, defaultContacts } = c.get('mailbox')
    // The default folder's own children; it is not among them.
    const children = [...contactFolders.values()].filter((folder) => folder !== defaultContacts)
    return answerList(c, children, folderView)
  })
  routes.post('/contactFolders', async (c) => {
    const mailbox = c.get('mailbox')
    const { displayName } = await bodyAs(c, folderBody)
    const folder = newContactFolder(state, displayName, mailbox.defaultContacts.ids.immutable)
    mailbox.contactFolders.set(folder.ids.immutable, folder)
    mailbox.contactFolderFeed.join(folder)
    return c.json(folderView(folder), 201)
  })
  routes.get('/contactFolders/delta', (c) =>
    answerDelta(state, tokens, c, {
      feed: c.get('mailbox').contactFolderFeed,
      type: 'contactFolder',
      check: refuseFilter,
      first: () => null,
      includes: () => true,
      view: (folder) => ({ '@odata.type': '#microsoft.graph.contactFolder', ...folderView(folder) }),
    }),
  )
  routes.get('/contactFolders/:folder', (c) => c.json(folderView(folderOf(c))))

  for (const base of ['/contacts', '/contactFolders/:folder/contacts']) {
    routes.get(base, (c) => {
      const query = readQuery(withoutFilter(new URL(c.req.url)))
      const found = [...folderOf(c).feed.members.values()].filter(predicate(new URL(c.req.url)))
      return answerList(c, found, (contact) => contactView(c, contact, query))
    })
    routes.post(base, async (c) => {
      const patch = readContact(await bodyAs(c, contactBody))
      const contact = putContact(state, c.get('mailbox'), folderOf(c), named(patch))
      return c.json(contactView(c, contact, NO_QUERY), 201)
    })
    routes.get(`${base}/delta`, (c) =>
      answerDelta(state, tokens, c, {
        feed: folderOf(c).feed,
        type: 'contact',
        check: refuseFilter,
        first: () => null,
        includes: () => true,
        view: (contact, query) => ({
          '@odata.type': '#microsoft.graph.contact',
          ...contactView(c, contact, query),
        }),
      }),
    )
    routes.get(`${base}/:contact`, (c) =>
      c.json(contactView(c, contactOf(c), readQuery(new URL(c.req.url).searchParams))),
    )
    routes.patch(`${base}/:contact`, async (c) => {
      const contact = contactOf(c)
      const patch = readContact(await bodyAs(c, contactBody))
      checkVersion(c, contact)
      editContact(state, c.get('mailbox'), contact, patch)
      return c.json(contactView(c, contact, NO_QUERY))
    })
    routes.delete(`${base}/:contact`, (c) => {
      const contact = contactOf(c)
      checkVersion(c, contact)
      removeContact(state, c.get('mailbox'), contact)
      return c.body(null, 204)
    })
  }
  return routes
}

const NO_QUERY = readQuery(new URLSearchParams())

function folderOf(c: Context<Env>): ContactFolder {
  const { contactFolders, defaultContacts } = c.get('mailbox')
  const id = c.req.param('folder')
  if (id === undefined || id.toLowerCase() === 'contacts') return defaultContacts
  const folder = contactFolders.get(id)
  if (folder === undefined) throw folderNotFound()
  return folder
}

/** By its id a contact is found in any folder, unless one is named. */
function contactOf(c: Context<Env>): Contact {
  const contact = c.get('mailbox').contacts.get(c.req.param('contact') ?? '')
  if (contact === undefined) throw itemNotFound()
  if (c.req.param('folder') !== undefined && folderOf(c) !== contact.folder) throw itemNotFound()
  return contact
}

/** Without If-Match the last write wins. [GK] for both. */
function checkVersion(c: Context, contact: Contact): void {
  const wanted = c.req.header('if-match')
  if (wanted !== undefined && wanted !== '*' && wanted !== etag(contact)) throw staleChangeKey()
}

function readContact(body: z.output<typeof contactBody>): Patch {
  const { singleValueExtendedProperties = [], '@odata.type': _type, emailAddresses, ...given } = body
  const addresses = emailAddresses === undefined ? {} : { emailAddresses: namedAddresses(emailAddresses) }
  const fields: Record<string, Json> = { ...addresses }
  for (const [name, value] of Object.entries(given)) fields[name] = jsonOf(value)
  for (const [name, most] of Object.entries(CONTACT_MOST)) {
    const value = fields[name]
    if (Array.isArray(value) && value.length > most)
      throw badRequest(`The property '${name}' takes at most ${most} values.`, 'ErrorInvalidArgument')
  }
  return { fields, extended: new Map(singleValueExtendedProperties.map(({ id, value }) => [id, value])) }
}

function jsonOf(value: unknown): Json {
  return z.json().parse(value ?? null)
}

/** An address without a name is given itself as one. [GK] */
function namedAddresses(all: readonly { address: string; name?: string | null | undefined }[]): JsonObject[] {
  return all.map(({ address: at, name }) => ({ name: name ?? at, address: at }))
}

/** What a new contact is called by, where nobody says. [GK] */
export function named({ fields, extended }: Patch): Patch {
  const name = [fields['givenName'], fields['surname']].filter((part) => typeof part === 'string').join(' ')
  const shown = fields['displayName'] ?? (name === '' ? null : name)
  return { fields: { ...fields, displayName: shown, fileAs: fields['fileAs'] ?? shown }, extended }
}

function contactView(c: Context, contact: Contact, { select, expand }: Query): JsonObject {
  for (const name of select ?? []) {
    if (!CONTACT_PROPERTIES.has(name))
      throw badRequest(
        `Parsing OData Select and Expand failed: Could not find a property named '${name}' on type 'microsoft.graph.contact'.`,
        'RequestBroker--ParseUri',
      )
  }
  const all: JsonObject = {
    createdDateTime: time(contact.createdAt),
    lastModifiedDateTime: time(contact.modifiedAt),
    changeKey: changeKey(contact),
    parentFolderId: contact.folder.ids.immutable,
    ...contactFields(contact.fields),
  }
  const asked = [...(expand ?? '').matchAll(/id eq '([^']*)'/gi)].map(([, id = '']) => id)
  const extended = asked.flatMap((id) => {
    const value = contact.extended.get(id)
    return value === undefined ? [] : [{ id, value }]
  })
  return {
    '@odata.etag': etag(contact),
    id: contact.ids[preferencesOf(c).ids],
    ...Object.fromEntries(Object.entries(all).filter(([name]) => select === null || select.includes(name))),
    ...(extended.length > 0 ? { singleValueExtendedProperties: extended } : {}),
  }
}

function folderView({ ids, displayName, parentId }: ContactFolder): JsonObject {
  return { id: ids.immutable, displayName, parentFolderId: parentId }
}

const BY_ADDRESS = /^emailAddresses\/any\((\w+):\s*\1\/address eq '((?:[^']|'')*)'\)$/i
const BY_EXTENDED =
  /^singleValueExtendedProperties\/any\((\w+):\s*\1\/id eq '((?:[^']|'')*)' and \1\/value eq '((?:[^']|'')*)'\)$/i

/** https://learn.microsoft.com/en-us/graph/api/singlevaluelegacyextendedproperty-get */
function predicate(url: URL): (contact: Contact) => boolean {
  const filter = url.searchParams.get('$filter')
  const plain = (quoted = '') => quoted.replaceAll("''", "'")
  const address = BY_ADDRESS.exec(filter ?? '')
  if (address !== null) {
    const wanted = plain(address[2]).toLowerCase()
    return ({ fields }) => addressesOf(fields['emailAddresses']).includes(wanted)
  }
  const extended = BY_EXTENDED.exec(filter ?? '')
  if (extended !== null) return (contact) => contact.extended.get(plain(extended[2])) === plain(extended[3])
  const clauses = readFilter(filter)
  return ({ fields }) =>
    clauses.every((clause) => {
      const value = fields[clause.property]
      return fits(clause, typeof value === 'string' ? value : null)
    })
}

function addressesOf(value: Json | undefined): readonly string[] {
  const read = z.array(z.object({ address: z.string() })).safeParse(value)
  return read.success ? read.data.map(({ address: at }) => at.toLowerCase()) : []
}

function refuseFilter({ filter, orderBy }: Query): void {
  if (filter.length > 0 || orderBy.length > 0)
    throw badRequest("'$filter' and '$orderby' are not supported with change tracking over contacts.")
}
