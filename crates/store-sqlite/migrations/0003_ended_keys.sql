-- What finds the keys that have ended, deleted ones included.
CREATE INDEX keys_expiring ON keys (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX keys_revoked ON keys (revoked_at) WHERE revoked_at IS NOT NULL;
