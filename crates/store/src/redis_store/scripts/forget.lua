-- ARGV 3: a repository. Removes its dead letters. A stream keeps the bytes of deleted entries beside
-- those that stay, so the stream is written anew.
local kept, gone = {}, false
for _, letter in ipairs(redis.call('XRANGE', DEAD, '-', '+')) do
  if fields(letter[2]).repo == ARGV[3] then gone = true else kept[#kept + 1] = letter end
end
if not gone then return 1 end
local ttl = redis.call('PTTL', DEAD)
redis.call('DEL', DEAD)
for _, letter in ipairs(kept) do redis.call('XADD', DEAD, letter[1], unpack(letter[2])) end
redis.call('PEXPIRE', DEAD, ttl)
return 1
