{#-
    A warehouse that version 1.0 has published keeps its history in a table that dbt's snapshots wrote, knows no numbers of builds, and does not say which
    build a model is of; models that a later version has published may not hold yet what they fill in for a missing value. A build that finds such a one
    writes the same as state of today's form, and goes on from there.
-#}


{#- Where version 1.0 kept the history of every segmentation; today a view has that name. -#}
{% macro _places_of_old_histories() %}
    {% set places = [] %}
    {% for node in graph.nodes.values() if node.name == segmentation_prefix(node) ~ 'customer_segment_history' %}
        {% do places.append((node.database, node.schema, node.alias)) %}
    {% endfor %}
    {% do return(places) %}
{% endmacro %}


{% macro _upgrade_state() %}
    {% set builds = existing_table('builds') %}
    {% if not builds %}{% do return('') %}{% endif %}
    {% set statements = [] %}
    {% if 'build_number' not in run_query('select * from ' ~ builds ~ ' limit 0').column_names %}
        {#- Builds were appended in their order. -#}
        {% do statements.extend([
            'alter table ' ~ builds ~ ' add column build_number integer',
            'update ' ~ builds ~ ' set build_number = numbered.build_number from (select build_id, row_number() over (order by rowid) as build_number from '
            ~ builds ~ ') as numbered where builds.build_id = numbered.build_id'
        ]) %}
    {% endif %}
    {% set created, dropped = [], [] %}
    {% for node in graph.nodes.values() if node.name == segmentation_prefix(node) ~ 'customer_segment_history' %}
        {% set history = load_relation(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) %}
        {% if history and history.type == 'table' %}
            {% set prefix = segmentation_prefix(node) %}
            {% set changes = api.Relation.create(database=published_database(), schema=target.schema, identifier=prefix ~ 'segment_changes') %}
            {% do statements.extend(_statements_of_upgrade(prefix, history, changes, builds)) %}
            {% do created.extend([changes, last_labels(prefix)]) %}
            {% do dropped.append(history) %}
        {% endif %}
    {% endfor %}
    {% if statements %}
        {% do log('The published warehouse is of version 1.0: its history is written anew, nothing of it is lost.', info=true) %}
    {% endif %}
    {% for node in graph.nodes.values() if node.name == segmentation_prefix(node) ~ 'segmentation_fits' %}
        {% do statements.extend(_completion_of_models(segmentation_prefix(node))) %}
    {% endfor %}
    {% if statements %}{% do _publishing_step('execute', {'statements': statements}) %}{% endif %}
    {% for relation in created %}{% do adapter.cache_added(relation.incorporate(type='table')) %}{% endfor %}
    {% for relation in dropped %}{% do adapter.cache_dropped(relation) %}{% endfor %}
{% endmacro %}


{#-
    The models of one segmentation, where they do not hold what they fill in for a missing value: they get the medians of the customers of the last build,
    which were the ones filled in there, and keep them.
-#}
{% macro _completion_of_models(prefix) %}
    {% set fits = existing_table(prefix ~ 'segmentation_fits') %}
    {% if not fits or 'fill_values' in run_query('select * from ' ~ fits ~ ' limit 0').column_names %}{% do return([]) %}{% endif %}
    {% set filled_in = segmentation(prefix).features | selectattr('missing', 'equalto', 'median') | map(attribute='name') | list %}
    {% set features = run_query('select distinct unnest(features) as feature from ' ~ fits).columns[0].values() | list %}
    {% set medians = _publishing_step('medians', {'table': prefix ~ 'customer_segments', 'columns': features}).medians %}
    {% set fill_value %}
        case
            when configuration is null then null
            {%- for feature, median in medians.items() %}
            when
                feature = '{{ feature }}'
                and {{ 'true' if feature in filled_in else "contains(configuration, '\"missing\": \"median\", \"name\": \"" ~ feature ~ "\"')" }}
                then {{ median }}
            {%- endfor %}
        end
    {% endset %}
    {% do return([
        'alter table ' ~ fits ~ ' add column fill_values double[]',
        'alter table ' ~ fits ~ ' add column if not exists lambdas double[]',
        'update ' ~ fits ~ ' set fill_values = [cast(' ~ fill_value ~ " as double) for feature in features], lambdas = coalesce(lambdas, [cast(null as double) for feature in features])",
    ]) %}
{% endmacro %}


{#- For one segmentation: the log from the periods of `history`, and the last labels. -#}
{% macro _statements_of_upgrade(prefix, history, changes, builds) %}
    {% set key = segmentation('').key.name %}
    {% set fits, migrations = existing_table(prefix ~ 'segmentation_fits'), existing_table(prefix ~ 'segment_migrations') %}
    {% set add_build_of_model %}alter table {{ fits }} add column build_id varchar{% endset %}
    {% set build_of_model %}
        update {{ fits }}
        set build_id = first_used.build_id
        from (
            -- A model is of the first build that used it.
            select
                fits.model_version,
                coalesce(min_by(migrations.build_id, migrations.built_at), (select max_by(build_id, build_number) from {{ builds }})) as build_id
            from {{ fits }} as fits
            left join {{ migrations }} as migrations on fits.model_version = migrations.model_version
            group by fits.model_version
        ) as first_used
        where {{ fits.identifier }}.model_version = first_used.model_version
    {% endset %}
    {% set log_of_changes %}
        create or replace table {{ changes }} as
        with

        periods as (
            select
                *,
                lag(segment_id) over earlier as from_segment_id,
                lag(segment_name) over earlier as from_segment_name,
                lag(model_version) over earlier as from_model_version,
                lag(dbt_valid_from) over earlier as from_changed_at,
                lag(dbt_valid_to) over earlier as from_valid_to,
                lead(dbt_valid_from) over earlier as next_valid_from
            from {{ history }}
            window earlier as (partition by {{ key }} order by dbt_valid_from)
        ),

        -- Version 1.0 wrote the end of these periods by the clock of the machine, in its time zone, and everything else in UTC. Nobody leaves in the
        -- build that found them.
        leavers as (
            select
                *,
                greatest(
                    cast(cast(dbt_valid_to as timestamptz) at time zone 'UTC' as timestamp),
                    (select min(builds.built_at) from {{ builds }} as builds where builds.built_at > periods.dbt_valid_from)
                ) as left_at
            from periods
            where dbt_valid_to is not null and next_valid_from is distinct from dbt_valid_to
        ),

        -- Whose next period begins where the last one ended has moved.
        changes as (
            select
                {{ key }}, 'moved' as change, from_segment_id, from_segment_name, from_model_version, from_changed_at, segment_id as to_segment_id,
                segment_name as to_segment_name, model_version as to_model_version, dbt_valid_from as changed_at
            from periods
            where from_valid_to = dbt_valid_from
            union all
            select {{ key }}, 'joined', null, null, null, null, segment_id, segment_name, model_version, dbt_valid_from
            from periods
            where from_valid_to is distinct from dbt_valid_from
            union all
            select {{ key }}, 'left', segment_id, segment_name, model_version, dbt_valid_from, null, null, null, left_at
            from leavers
        )

        -- Who left did so in the build that was running then.
        select
            changes.{{ key }},
            changes.change,
            cast(changes.from_segment_id as integer) as from_segment_id,
            changes.from_segment_name,
            cast(changes.from_model_version as integer) as from_model_version,
            changes.from_changed_at,
            cast(changes.to_segment_id as integer) as to_segment_id,
            changes.to_segment_name,
            cast(changes.to_model_version as integer) as to_model_version,
            builds.build_id,
            changes.changed_at as built_at
        from changes
        asof left join {{ builds }} as builds on changes.changed_at >= builds.built_at
        order by builds.build_number, changes.{{ key }}
    {% endset %}
    {% set labels %}
        create or replace table {{ last_labels(prefix) }} as
        select
            {{ key }},
            cast(arg_max(segment_id, dbt_valid_from) as integer) as segment_id,
            cast(arg_max(segment_id, dbt_valid_from) filter (where dbt_valid_to is not null) as integer) as previous_segment_id,
            max(dbt_valid_from) as changed_at,
            arg_max(segment_name, dbt_valid_from) as name_at_change,
            cast(arg_max(model_version, dbt_valid_from) as integer) as model_version_at_change
        from {{ history }}
        group by {{ key }}
        having count(*) filter (where dbt_valid_to is null) > 0
    {% endset %}
    {% do return([add_build_of_model, build_of_model, log_of_changes, labels, 'drop table ' ~ history]) %}
{% endmacro %}
