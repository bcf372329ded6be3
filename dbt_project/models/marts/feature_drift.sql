{{ config(enabled=has_customers(), materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
with

int_feature_drift as (
    select * from {{ ref('int_feature_drift') }}
),

int_refit_decision as (
    select * from {{ ref('int_refit_decision') }}
),

final as (
    select
        {{ build_columns() }},
        cast(int_feature_drift.model_version as integer) as model_version,
        int_feature_drift.feature,
        int_feature_drift.psi,
        {{ drift_level('int_feature_drift.psi', 'int_feature_drift.psi_by_chance') }} as drift_level,
        int_feature_drift.unseen_share,
        int_refit_decision.reason is not null as is_refitted,
        int_feature_drift.psi_by_chance,
        int_feature_drift.joint_drift,
        int_feature_drift.joint_drift_by_chance
    from int_feature_drift
    cross join int_refit_decision
)

select * from final
order by feature
