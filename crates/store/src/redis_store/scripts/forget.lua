-- ARGV 3: a repository. Removes its dead letters, and answers how many. A stream keeps the bytes of deleted entries beside
-- those that stay, so the stream is written anew.
local kept, gone = {}, 0
for _, letter in ipairs(redis.call('XRANGE', DEAD, '-', '+')) do
  if fields(letter[2]).repo == ARGV[3] then gone = gone + 1 else kept[#kept + 1] = letter end
end
if gone == 0 then return 0 end
local ttl = redis.call('PTTL', DEAD)
redis.call('DEL', DEAD)
for _, letter in ipairs(kept) do redis.call('XADD', DEAD, letter[1], unpack(letter[2])) end
redis.call('PEXPIRE', DEAD, ttl)
return gone
