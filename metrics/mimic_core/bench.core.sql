-- Hospital stays: who comes, how, for how long, and how it ends.

-- name: stays by age and sex
-- kind: share
-- keys: band, sex
-- values: n=count
SELECT age // 10 * 10 AS band, sex, count(*) AS n
FROM core
GROUP BY band, sex;

-- name: outcome by admission
-- kind: groups
-- keys: admission_type
-- values: n=count, died=ratio, home=ratio, days=mean(length_of_stay_days)
-- support: n   min_support: 3
SELECT admission_type, count(*) AS n, avg((discharge IN ('Expired', 'Hospice'))::INT) AS died,
  avg((discharge = 'Home')::INT) AS home, avg(length_of_stay_days) AS days
FROM core
GROUP BY admission_type;

-- name: intensive care
-- kind: scalar            who needs it stays longer
-- values: share=ratio, with_days=mean(length_of_stay_days), without_days=mean(length_of_stay_days), part=ratio
SELECT avg((icu_days > 0)::INT) AS share,
  avg(length_of_stay_days) FILTER (WHERE icu_days > 0) AS with_days,
  avg(length_of_stay_days) FILTER (WHERE icu_days = 0) AS without_days,
  sum(icu_days) / sum(length_of_stay_days) AS part
FROM core;

-- name: length of stay
-- kind: dist
-- values: days=number
SELECT length_of_stay_days AS days
FROM core;

-- name: impossible stays
-- kind: scalar            nobody is longer in intensive care than in hospital
-- values: longer=ratio
SELECT avg((icu_days > length_of_stay_days + 0.1)::INT) AS longer
FROM core;

-- name: where patients go
-- kind: topk
-- keys: discharge
-- values: n=count, age=mean
-- order: n desc   k: 5
SELECT discharge, count(*) AS n, avg(age) AS age
FROM core
GROUP BY discharge;

-- name: hour of admission
-- kind: share
-- keys: shift, admission_type
-- values: n=count
SELECT admission_hour // 6 AS shift, admission_type, count(*) AS n
FROM core
GROUP BY shift, admission_type;
