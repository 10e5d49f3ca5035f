-- Batting, season by season.

-- name: course of a career
-- kind: groups            they play more until the tenth season: the weak are gone by then
-- keys: season
-- values: n=count, games=mean, at_bats=mean, average=mean
-- support: n   min_support: 20
SELECT season, count(*) AS n, avg(games) AS games, avg(at_bats) AS at_bats,
  sum(average * at_bats) / nullif(sum(at_bats), 0) AS average
FROM batting
GROUP BY season;

-- name: batting average of regulars
-- kind: dist            a hundred games and three at bats in each
-- values: average=number
SELECT average
FROM batting
WHERE games >= 100 AND at_bats >= 300;

-- name: from one season to the next
-- kind: dist            change of the games played, within a player
-- values: change=number
SELECT games - lag(games) OVER (PARTITION BY player_id ORDER BY season) AS change
FROM batting
QUALIFY change IS NOT NULL;

-- name: regulars stay regulars
-- kind: groups            and who sat on the bench mostly sits there again
-- keys: role, before
-- values: n=count
-- support: n   min_support: 20
WITH roles AS (
  SELECT player_id, season, CASE WHEN at_bats = 0 THEN 'no bat' WHEN at_bats < 150 THEN 'bench' ELSE 'regular' END AS role
  FROM batting
),
pairs AS (
  SELECT role, lag(role) OVER (PARTITION BY player_id ORDER BY season) AS before
  FROM roles
)
SELECT role, before, count(*) AS n
FROM pairs
WHERE before IS NOT NULL
GROUP BY role, before;

-- name: season of the most games
-- kind: share            where in a career of six seasons or more its peak lies
-- keys: peak
-- values: n=count
WITH ranked AS (
  SELECT season, count(*) OVER (PARTITION BY player_id) AS seasons,
    row_number() OVER (PARTITION BY player_id ORDER BY games DESC, season) AS place
  FROM batting
)
SELECT season AS peak, count(*) AS n
FROM ranked
WHERE place = 1 AND seasons >= 6
GROUP BY peak;

-- name: the last season
-- kind: groups            fewer games and a lower average than the one before it
-- keys: final
-- values: games=mean, average=mean
-- support: n   min_support: 20
WITH placed AS (
  SELECT games, at_bats, average, row_number() OVER (PARTITION BY player_id ORDER BY season DESC) = 1 AS final,
    count(*) OVER (PARTITION BY player_id) AS seasons
  FROM batting
)
SELECT final, count(*) AS n, avg(games) AS games,
  sum(average * at_bats) / nullif(sum(at_bats), 0) AS average
FROM placed
WHERE seasons >= 4
GROUP BY final;

-- name: at bats in a game
-- kind: groups            regulars four, pitchers fewer, and none since the designated hitter
-- keys: generation, tenth
-- values: n=count, rate=mean(average)
-- support: n   min_support: 30
SELECT debut_year // 25 * 25 AS generation, games // 20 AS tenth, count(*) AS n,
  sum(at_bats) / sum(games) / 10 AS rate
FROM batting
JOIN core USING (player_id)
WHERE debut_year IS NOT NULL
GROUP BY generation, tenth;

-- name: season that cannot be
-- kind: scalar            more than seven at bats a game, an average without a bat, a season missing in between
-- values: many=ratio, airy=ratio, gaps=ratio
WITH placed AS (
  SELECT games, at_bats, average, season, row_number() OVER (PARTITION BY player_id ORDER BY season) AS place
  FROM batting
)
SELECT avg((at_bats > 7 * games)::INT) AS many, avg((at_bats = 0 AND average IS NOT NULL)::INT) AS airy,
  avg((season <> place)::INT) AS gaps
FROM placed;

-- name: left-handed batters
-- kind: groups            hit better: most pitchers are right-handed
-- keys: bats
-- values: n=count, average=mean(average), share=ratio
-- support: n   min_support: 20
SELECT bats, count(*) AS n, sum(average * at_bats) / nullif(sum(at_bats), 0) AS average,
  avg((at_bats = 0)::INT) AS share
FROM batting
JOIN core USING (player_id)
WHERE bats IS NOT NULL
GROUP BY bats;
