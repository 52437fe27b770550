import { z } from 'zod'
import { failureOf, type Io, type Observation, type RemoteId, VendorError } from '../connector.ts'
import { CONTACT_SELECT, observe } from './contact-body.ts'
import { ask } from './graph.ts'
import { contactFolderOf, contactsHome } from './settings.ts'

/** Between the mailbox and `/contacts`: empty for the default folder. */
export function folderPath(io: Io): string {
  const folder = contactFolderOf(io)
  return folder === null ? '' : `/contactFolders/${encodeURIComponent(folder)}`
}

/** A contact by its id, in whichever folder it is. */
export const contactPath = (io: Io, id: RemoteId): string =>
  `${contactsHome(io)}/contacts/${encodeURIComponent(id)}`

/** Null: it is gone. */
export async function readRaw(io: Io, id: RemoteId): Promise<unknown> {
  const call = { method: 'GET', to: contactPath(io, id), query: { $select: CONTACT_SELECT } } as const
  try {
    return await ask(io, call, z.looseObject({}))
  } catch (error) {
    if (failureOf(error)?.kind === 'missing') return null
    throw error
  }
}

/** Throws `malformed` for what is no contact; `committed` says whether a write may have been carried out. */
export function observed(
  raw: unknown,
  committed: 'no' | 'unknown',
): Observation & { readonly kind: 'present' } {
  const seen = observe(raw)
  if (seen !== null) return seen
  const message = 'Outlook answered with something that is no contact.'
  throw new VendorError({ kind: 'malformed', committed, message })
}
