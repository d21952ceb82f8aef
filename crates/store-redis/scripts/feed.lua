-- The changes after a place, the one at the place itself, and the place of the last one.
-- ARGV: the place; the most changes to return.

return {
  written(position()),
  redis.call('XRANGE', prefix .. 'feed', ARGV[1] .. '-0', '+', 'COUNT', ARGV[2]),
}
