-- What is kept at KEYS[1] becomes older by ARGV[1] microseconds, as though that time had passed.
local head = redis.call('HGET', KEYS[1], 'h')
local words = {}
for word in string.gmatch(head, '[^ ]+') do words[#words + 1] = word end
for _, at in ipairs({8, 9, 11, 12, 13}) do
  if words[at] ~= 'no' then words[at] = string.format('%.0f', words[at] - ARGV[1]) end
end
head = table.concat(words, ' ')
local digest = redis.sha1hex(#KEYS[1] .. ':' .. KEYS[1] .. head)
redis.call('HSET', KEYS[1], 'h', head, 'd', digest)
local goes = redis.call('PEXPIRETIME', KEYS[1])
if goes > 0 then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', goes - ARGV[1] / 1000)) end
