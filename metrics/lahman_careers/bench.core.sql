-- Who the players are and how long they stay.

-- name: seasons by build
-- kind: groups            the smallest stay for fewer seasons
-- keys: build
-- values: n=count, seasons=mean(season), heavy=mean(weight)
-- support: n   min_support: 20
WITH careers AS (
  SELECT player_id, count(*) AS seasons
  FROM batting
  GROUP BY player_id
)
SELECT height // 2 * 2 AS build, count(*) AS n, avg(seasons) AS seasons, avg(weight) AS heavy
FROM core
JOIN careers USING (player_id)
WHERE height IS NOT NULL
GROUP BY build;

-- name: length of careers
-- kind: dist            every fourth is over after a season, few last fifteen
-- values: seasons=number
SELECT count(b.season) AS seasons
FROM core AS c
LEFT JOIN batting AS b USING (player_id)
GROUP BY c.player_id;

-- name: single seasons by the month of the first game
-- kind: groups            who begins in April plays most games, who begins in October fewest
-- keys: debut_month
-- values: n=count, single=ratio, games=mean
-- support: n   min_support: 20
WITH careers AS (
  SELECT player_id, count(*) AS seasons, sum(games) AS games
  FROM batting
  GROUP BY player_id
)
SELECT debut_month, count(*) AS n, avg((seasons = 1)::INT) AS single, avg(games) AS games
FROM core
JOIN careers USING (player_id)
WHERE debut_month IS NOT NULL
GROUP BY debut_month;

-- name: hands over the generations
-- kind: share            switch hitters are a thing of our time
-- keys: generation, bats, throws
-- values: n=count
SELECT debut_year // 25 * 25 AS generation, bats, throws, count(*) AS n
FROM core
WHERE debut_year IS NOT NULL
GROUP BY generation, bats, throws;

-- name: countries with the most games
-- kind: topk
-- keys: birth_country
-- values: n=count, average=mean
-- order: n desc   k: 8
SELECT birth_country, sum(games) AS n, sum(average * at_bats) / nullif(sum(at_bats), 0) AS average
FROM core
JOIN batting USING (player_id)
WHERE birth_country IS NOT NULL
GROUP BY birth_country;
