import path from 'node:path'
import { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import { VendorError } from '../connector.ts'
import type { FormatSettings } from './format.ts'
import type { ColumnSettings, ResourceName } from './table.ts'

const text = z.string().trim().min(1)
const perResource = z.strictObject({
  contacts: text.optional(),
  companies: text.optional(),
  deals: text.optional(),
})
/** One value for all resources, or one each. */
const columnNames = z.union([text, perResource])

const ALIASES: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  utf16: 'utf-16le',
  'utf-16': 'utf-16le',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
  latin1: 'windows-1252',
  'iso-8859-1': 'windows-1252',
  cp1252: 'windows-1252',
  ansi: 'windows-1252',
}
const ENCODING = /^(utf-8|utf-16le|utf-16be|windows-125\d|windows-874|iso-8859-\d{1,2}|macintosh|koi8-[ru])$/
export const ENCODINGS = 'UTF-8, UTF-16LE, UTF-16BE, Windows-125x or ISO-8859-x'

/** An encoding by any of its usual names; null for one that is not read. */
export function encodingCalled(name: string): string | null {
  const usual = ALIASES[name.toLowerCase()] ?? name.toLowerCase()
  return ENCODING.test(usual) ? usual : null
}

const settingsSchema = z.strictObject({
  /** Where the exports are; a relative path starts at the hub's working directory. */
  folder: text,
  /** Where the hub writes. Without it the connection is read-only. */
  out: text.optional(),
  /** The column that tells rows apart. */
  idColumn: columnNames.optional(),
  /** A column with the ISO 8601 time of a row's last edit. */
  modifiedColumn: columnNames.optional(),
  /** A column with the id of the row that this one was merged into, where the source keeps merged rows to say so. */
  mergedIntoColumn: columnNames.optional(),
  /** File names, with `*` for any text; case does not matter. */
  files: perResource.optional(),
  delimiter: z
    .string()
    .regex(/^[\t -~]$/, 'one ASCII character')
    .refine((character) => character !== '"', 'not the quote')
    .optional(),
  encoding: z
    .string()
    .transform(encodingCalled)
    .refine((name) => name !== null, ENCODINGS)
    .optional(),
  /** A file that changed in the last so many milliseconds may still be written and is left for the next cycle. */
  settleMs: z.int().min(0).default(2_000),
})
export type Settings = Readonly<z.infer<typeof settingsSchema>>

/** Throws `rejected` and names the setting that is wrong, also where `out` would feed the hub its own writes. */
export function readSettings(settings: JsonObject): Settings {
  const parsed = settingsSchema.safeParse(settings)
  if (!parsed.success) {
    throw new VendorError({ kind: 'rejected', code: 'settings', ...problemOf(parsed.error) })
  }
  const { folder, out } = parsed.data
  if (out !== undefined && path.resolve(out) === path.resolve(folder)) throw sameFolder(folder)
  return parsed.data
}

function problemOf(error: z.ZodError): { readonly field: string | null; readonly message: string } {
  const [issue] = error.issues
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join('.')
  const field = path === '' ? null : path
  if (unknown !== undefined)
    return { field, message: `csv has no setting ${path}. Correct its name, or remove it.` }
  return {
    field,
    message: `Set ${field ?? 'the csv settings'} to something else: ${issue?.message ?? 'not valid'}`,
  }
}

export function sameFolder(folder: string): VendorError {
  return new VendorError({
    kind: 'rejected',
    code: 'same-folder',
    field: 'out',
    message: `The hub would read its own files as exports: out and folder are both ${folder}. Give out a folder of its own.`,
  })
}

/** What the settings say about the files of one resource. */
export function settingsFor(
  { idColumn, modifiedColumn, mergedIntoColumn, delimiter, encoding }: Settings,
  resource: ResourceName,
): FormatSettings & ColumnSettings {
  const id = typeof idColumn === 'string' ? idColumn : idColumn?.[resource]
  const modified = typeof modifiedColumn === 'string' ? modifiedColumn : modifiedColumn?.[resource]
  const merged = typeof mergedIntoColumn === 'string' ? mergedIntoColumn : mergedIntoColumn?.[resource]
  return {
    ...(merged === undefined ? {} : { mergedIntoColumn: merged }),
    ...(id === undefined ? {} : { idColumn: id }),
    ...(modified === undefined ? {} : { modifiedColumn: modified }),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(encoding === undefined ? {} : { encoding }),
  }
}
