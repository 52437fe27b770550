import type { FieldError } from './problem.ts'

export const MERGE_FIELD_TYPES = [
  'text',
  'number',
  'address',
  'phone',
  'date',
  'url',
  'imageurl',
  'radio',
  'dropdown',
  'birthday',
  'zip',
] as const

export type MergeField = {
  readonly id: number
  tag: string
  name: string
  readonly type: (typeof MERGE_FIELD_TYPES)[number]
  required: boolean
  defaultValue: string
  public: boolean
  displayOrder: number
  helpText: string
  choices: readonly string[]
  phoneFormat: string
  dateFormat: string
}

export type Address = {
  readonly addr1: string
  readonly addr2: string
  readonly city: string
  readonly state: string
  readonly zip: string
  readonly country: string
}
export type MergeValue = string | number | Address

type Checked = { ok: true; value: MergeValue } | { ok: false; message: string }

/** Values that fit, by tag; an unknown tag is dropped without a word, as the vendor does. */
export function checkMergeFields(
  fields: readonly MergeField[],
  given: Readonly<Record<string, unknown>>,
): { values: Map<string, MergeValue>; errors: FieldError[] } {
  const values = new Map<string, MergeValue>()
  const errors: FieldError[] = []
  for (const field of fields) {
    const value = given[field.tag]
    if (value === undefined) continue
    const checked = isEmpty(value) ? { ok: true as const, value: '' } : checkValue(field, value)
    if (checked.ok) values.set(field.tag, checked.value)
    else errors.push({ field: field.tag, message: checked.message })
  }
  return { values, errors }
}

/** Required fields that would be empty. */
export function missingMergeFields(
  fields: readonly MergeField[],
  values: ReadonlyMap<string, MergeValue>,
): FieldError[] {
  return fields
    .filter((field) => field.required && isEmpty(values.get(field.tag)))
    .map((field) => ({ field: field.tag, message: 'Please enter a value' }))
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

function checkValue(field: MergeField, value: unknown): Checked {
  if (field.type === 'address') return checkAddress(value)
  if (typeof value !== 'string' && typeof value !== 'number') return refused('This value should be a string.')
  const text = String(value)
  switch (field.type) {
    case 'number':
      return Number.isFinite(Number(text)) ? accepted(Number(text)) : refused('Please enter a number')
    case 'birthday':
      return BIRTHDAY.test(text) ? accepted(text) : refused('Please enter a month (01-12) and a day (01-31)')
    case 'date':
      return checkDate(text)
    case 'phone':
      if (field.phoneFormat !== 'US' || US_PHONE.test(text)) return checkText(text)
      return refused('Phone number must be in the form (###) ###-####')
    case 'zip':
      return /^\d{5}$/.test(text) ? accepted(text) : refused('Please enter a 5 digit zip code')
    case 'url':
    case 'imageurl':
      return URL.canParse(text) ? checkText(text) : refused('Please enter a complete URL')
    case 'radio':
    case 'dropdown':
      return field.choices.includes(text) ? accepted(text) : refused('Value must be one of the choices')
    case 'text':
      return checkText(text)
    default:
      return unreachable(field.type)
  }
}

const BIRTHDAY = /^(0?[1-9]|1[0-2])\/(0?[1-9]|[12]\d|3[01])$/
const US_PHONE = /^(\(\d{3}\) ?|\d{3}[-. ]?)\d{3}[-. ]?\d{4}$/

/** https://mailchimp.com/help/manage-audience-signup-form-fields/: text holds 255 bytes. */
function checkText(text: string): Checked {
  return text.length <= 255 ? accepted(text) : refused('Please enter a value of 255 characters or less')
}

/** Given as YYYY-MM-DD or MM/DD/YYYY, answered as YYYY-MM-DD. */
function checkDate(text: string): Checked {
  const [, month, day, year] = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text) ?? []
  const iso =
    month === undefined || day === undefined
      ? text.slice(0, 10)
      : `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const valid = /^\d{4}-\d{2}-\d{2}$/.test(iso) && !Number.isNaN(Date.parse(iso))
  return valid ? accepted(iso) : refused('Please enter the date')
}

/** https://mailchimp.com/developer/marketing/docs/merge-fields/: all four parts, or the address is refused. */
function checkAddress(value: unknown): Checked {
  if (typeof value !== 'object' || value === null) return refused('Please enter a complete address')
  const part = (name: string): string => {
    const found: unknown = Reflect.get(value, name)
    return typeof found === 'string' || typeof found === 'number' ? String(found).trim() : ''
  }
  const address: Address = {
    addr1: part('addr1'),
    addr2: part('addr2'),
    city: part('city'),
    state: part('state'),
    zip: part('zip'),
    country: part('country') || 'US',
  }
  if (!address.addr1 && !address.city && !address.state && !address.zip) return accepted('')
  if (!address.addr1 || !address.city || !address.state || !address.zip)
    return refused('Please enter a complete address')
  return accepted(address)
}

const accepted = (value: MergeValue): Checked => ({ ok: true, value })
const refused = (message: string): Checked => ({ ok: false, message })

function unreachable(type: never): never {
  throw new Error(`Unknown merge field type ${String(type)}`)
}

/** What a new audience has, and two that a business adds. */
export function standardMergeFields(): MergeField[] {
  const shapes: [string, string, MergeField['type']][] = [
    ['FNAME', 'First Name', 'text'],
    ['LNAME', 'Last Name', 'text'],
    ['ADDRESS', 'Address', 'address'],
    ['PHONE', 'Phone Number', 'phone'],
    ['BIRTHDAY', 'Birthday', 'birthday'],
    ['COMPANY', 'Company', 'text'],
    ['JOBTITLE', 'Job Title', 'text'],
  ]
  return shapes.map(([tag, name, type], index) => mergeField({ id: index + 1, tag, name, type }))
}

export function mergeField(
  given: Pick<MergeField, 'id' | 'tag' | 'name' | 'type'> & Partial<MergeField>,
): MergeField {
  return {
    required: false,
    defaultValue: '',
    public: false,
    displayOrder: given.id + 1,
    helpText: '',
    choices: [],
    phoneFormat: 'none',
    dateFormat: given.type === 'birthday' ? 'MM/DD' : 'MM/DD/YYYY',
    ...given,
  }
}
