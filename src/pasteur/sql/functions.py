"""Functions that a query may call: pure ones, whose answer follows from their arguments alone.

Left out on purpose: whatever reads a clock (`now`, `age` of one argument), a generator (`random`, `uuid`, `setseed`),
the machine (`getenv`, `current_setting`, `version`), a file (`read_text`, `glob`) or another statement (`query`,
`json_execute_serialized_sql`), whatever sleeps, logs or raises, and sketches whose answer depends on row order
(`approx_quantile`, `reservoir_quantile`).
"""
# ruff: noqa: SIM905 - three hundred names are read more easily as words than as quoted strings

from __future__ import annotations

OPERATORS = frozenset(
    """
    + - * / // % ** ^ || & | ~ << >> ~~ !~~ ~~* !~~* ~~~ ^@ @ ! = != < <= > >= -> ->> && @> <@ !__postfix
    like_escape not_like_escape ilike_escape not_ilike_escape
    """.split()
)

SCALARS = frozenset(
    """
    abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees divide even exp
    factorial fdiv floor fmod gamma gcd greatest greatest_common_divisor isfinite isinf isnan lcm
    least least_common_multiple lgamma ln log log10 log2 mod multiply nextafter pi pow power radians round round_even
    roundbankers sign signbit sin sinh sqrt subtract tan tanh trunc xor

    array_to_string ascii bit_length char_length character_length chr concat concat_ws contains damerau_levenshtein
    editdist3 ends_with format hamming hash instr jaccard jaro_similarity jaro_winkler_similarity lcase left len length
    levenshtein lower lpad ltrim md5 mismatches octet_length ord overlay position prefix printf regexp_escape
    regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat
    replace reverse right rpad rtrim sha1 sha256 split split_part starts_with str_split string_split string_split_regex
    strip_accents strlen strpos substr substring suffix translate trim ucase unicode upper

    century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth
    dayofweek dayofyear decade epoch epoch_ms epoch_ns epoch_us era hour isodow isoyear julian last_day make_date
    make_time make_timestamp make_timestamptz microsecond millennium millisecond minute month monthname nanosecond
    quarter second strftime strptime time_bucket timezone to_centuries to_days to_decades to_hours to_microseconds
    to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years
    try_strptime week weekday weekofyear year yearweek

    array_length cardinality element_at equi_width_bins flatten generate_series list_apply list_append
    list_avg list_concat list_contains list_count list_distinct list_element list_extract list_filter list_has
    list_has_all list_has_any list_indexof list_intersect list_max list_median list_min list_position list_prepend
    list_reduce list_reverse list_reverse_sort list_select list_slice list_sort list_sum list_transform list_unique
    list_value list_where list_zip map map_contains map_entries map_extract map_extract_value map_from_entries map_keys
    map_values range row struct_extract struct_insert struct_pack unnest

    coalesce constant_or_null if ifnull nullif typeof
    """.split()
)

AGGREGATES = frozenset(
    """
    any_value arbitrary arg_max arg_max_null arg_min arg_min_null argmax argmin array_agg avg bit_and bit_or bit_xor
    bool_and bool_or corr count count_if count_star countif covar_pop covar_samp entropy favg first fsum geomean
    geometric_mean group_concat grouping histogram kahan_sum kurtosis kurtosis_pop last list listagg mad max max_by mean
    median min min_by mode product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept
    regr_r2 regr_slope regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop stddev_samp string_agg sum sumkahan
    var_pop var_samp variance wavg weighted_avg
    """.split()
)

WINDOWS = frozenset(
    """
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank rank_dense row_number
    """.split()
)

ALLOWED = OPERATORS | SCALARS | AGGREGATES | WINDOWS

ORDERED_AGGREGATES = frozenset(
    """
    any_value arbitrary arg_max arg_max_null arg_min arg_min_null argmax argmin array_agg first group_concat last list
    listagg max_by min_by mode string_agg
    """.split()
)
"""Aggregates whose answer is one of several when rows come in another order: they need an ORDER BY inside."""

CLOCKS = frozenset(
    """
    current_catalog current_database current_date current_localtime current_localtimestamp current_role current_schema
    current_time current_timestamp current_user localtime localtimestamp session_user today user
    """.split()
)
"""Functions that are written without parentheses, so that they look like columns."""
