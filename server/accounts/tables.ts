import type { Generated } from 'kysely'
import type { Db, Tx } from '../store/database.ts'

/** The columns and tables that only accounts know of; the auth library reads and writes them too. */
export type AccountTables = {
  users: { is_anonymous: Generated<boolean>; ban_reason: string | null; ban_expires: Date | null }
  sessions: { id: string; user_id: string; token: string; expires_at: Date; site_id: string | null }
  accounts: { id: string; user_id: string; created_at: Generated<Date> }
  api_keys: {
    id: string
    reference_id: string
    name: string | null
    /** Its first characters, for people to know it again. */
    start: string | null
    prefix: string | null
    /** Hashed. */
    key: string
    enabled: Generated<boolean>
    expires_at: Date | null
    last_request: Date | null
    created_at: Generated<Date>
  }
  settings: { key: string; value: string }
}

/** The same database, with the tables of accounts in its type. */
export function accountTables(db: Db | Tx) {
  return (db as Db).withTables<AccountTables>()
}

/** A ban without an end, or one that is not over yet. */
export function isBanned(user: { banned: boolean; ban_expires: Date | null }, now = new Date()): boolean {
  return user.banned && (user.ban_expires === null || user.ban_expires > now)
}

/** How the auth library's names map to tables and columns. */
export const columns = {
  user: {
    modelName: 'users',
    fields: { emailVerified: 'email_verified', createdAt: 'created_at', updatedAt: 'updated_at' },
  },
  session: {
    modelName: 'sessions',
    fields: {
      userId: 'user_id',
      expiresAt: 'expires_at',
      ipAddress: 'ip_address',
      userAgent: 'user_agent',
      createdAt: 'created_at',
      updatedAt: 'updated_at',
    },
  },
  account: {
    modelName: 'accounts',
    fields: {
      userId: 'user_id',
      accountId: 'account_id',
      providerId: 'provider_id',
      accessToken: 'access_token',
      refreshToken: 'refresh_token',
      idToken: 'id_token',
      accessTokenExpiresAt: 'access_token_expires_at',
      refreshTokenExpiresAt: 'refresh_token_expires_at',
      createdAt: 'created_at',
      updatedAt: 'updated_at',
    },
  },
  verification: {
    modelName: 'verifications',
    fields: { expiresAt: 'expires_at', createdAt: 'created_at', updatedAt: 'updated_at' },
  },
  apiKey: {
    modelName: 'api_keys',
    fields: {
      configId: 'config_id',
      referenceId: 'reference_id',
      refillInterval: 'refill_interval',
      refillAmount: 'refill_amount',
      lastRefillAt: 'last_refill_at',
      rateLimitEnabled: 'rate_limit_enabled',
      rateLimitTimeWindow: 'rate_limit_time_window',
      rateLimitMax: 'rate_limit_max',
      requestCount: 'request_count',
      lastRequest: 'last_request',
      expiresAt: 'expires_at',
      createdAt: 'created_at',
      updatedAt: 'updated_at',
    },
  },
} as const
