-- Takes names off the list whose devices are gone. KEYS[2..]: the devices. ARGV: their names.
for n = 2, #KEYS do
  if redis.call('EXISTS', KEYS[n]) == 0 then
    redis.call('SREM', ALL, ARGV[n + 1])
  end
end
return {NONCE, 'buried'}
