# Ids of containers, images and networks, whole and short; of swarm objects; a swarm's tokens.
s/\b[0-9a-f]{64}\b/ID/g
s/\b[0-9a-f]{12}\b/ID/g
s/SWMTKN-[0-9a-z-]+/TOKEN/g
s/\b[0-9a-z]{25}\b/ID/g
# Times and ages, and the columns that grow and shrink with them.
s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)/TIME/g
s/(Less than a second|About a minute|[0-9]+ (second|minute)s?)( ago)?/AGE/g
s/ {2,}/  /g
