import type { MergeField, MergeValue } from './merge-fields.ts'
import { isoSecond, type Audience, type Member } from './state.ts'

/** A member as the API shows it: https://mailchimp.com/developer/marketing/api/list-members/ */
export function memberView(audience: Audience, member: Member) {
  return {
    id: member.id,
    email_address: member.email,
    unique_email_id: member.uniqueEmailId,
    contact_id: member.contactId,
    full_name: fullName(member),
    web_id: member.webId,
    email_type: member.emailType,
    status: member.status,
    ...(member.status === 'unsubscribed' && { unsubscribe_reason: member.unsubscribed?.reason ?? '' }),
    consents_to_one_to_one_messaging: true,
    merge_fields: mergeFieldsView(audience, member),
    interests: {},
    stats: { avg_open_rate: 0, avg_click_rate: 0 },
    ip_signup: member.ipSignup,
    timestamp_signup: isoSecond(member.signedUpAt),
    ip_opt: member.ipOpt,
    timestamp_opt: isoSecond(member.optedInAt),
    member_rating: 2,
    last_changed: isoSecond(member.lastChangedAt),
    language: member.language,
    vip: member.vip,
    email_client: '',
    location: { latitude: 0, longitude: 0, gmtoff: 0, dstoff: 0, country_code: '', timezone: '', region: '' },
    ...(audience.marketingPermissions.length > 0 && {
      marketing_permissions: permissionsView(audience, member),
    }),
    source: member.source,
    tags_count: member.tags.length,
    tags: member.tags.map(({ id, name }) => ({ id, name })),
    list_id: audience.id,
  }
}

export function mergeFieldsView(audience: Audience, member: Member): Record<string, MergeValue> {
  const shown: Record<string, MergeValue> = {}
  for (const { tag } of audience.mergeFields) shown[tag] = member.mergeFields.get(tag) ?? ''
  return shown
}

export function mergeFieldView(audience: Audience, field: MergeField) {
  return {
    merge_id: field.id,
    tag: field.tag,
    name: field.name,
    type: field.type,
    required: field.required,
    default_value: field.defaultValue,
    public: field.public,
    display_order: field.displayOrder,
    options: {
      size: 25,
      ...(field.choices.length > 0 && { choices: field.choices }),
      ...(field.type === 'phone' && { phone_format: field.phoneFormat }),
      ...((field.type === 'date' || field.type === 'birthday') && { date_format: field.dateFormat }),
    },
    help_text: field.helpText,
    list_id: audience.id,
  }
}

function permissionsView(audience: Audience, member: Member) {
  return audience.marketingPermissions.map(({ id, text }) => ({
    marketing_permission_id: id,
    text,
    enabled: member.enabledPermissions.has(id),
  }))
}

function fullName(member: Member): string {
  const parts = [member.mergeFields.get('FNAME'), member.mergeFields.get('LNAME')]
  return parts
    .map((part) => (typeof part === 'string' ? part : ''))
    .join(' ')
    .trim()
}
