-- Answers {all, leased, delayed, dead}. What is due again counts as ready.
return {
  redis.call('XLEN', JOBS),
  redis.call('ZCOUNT', LEASES, '(' .. ARGV[1], '+inf'),
  redis.call('ZCOUNT', DELAYED, '(' .. ARGV[1], '+inf'),
  redis.call('XLEN', DEAD),
}
