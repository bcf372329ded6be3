from model_bodies import new_fits


def model(dbt, session):
    settings = dbt.config.get("meta")["segmentation"]
    return new_fits(
        session,
        dbt.this,
        settings,
        decision=dbt.ref("int_rfm_refit_decision"),
        rows=dbt.ref("int_rfm_training_rows"),
        bins=dbt.ref("int_rfm_feature_bins"),
        customers=dbt.ref("int_rfm_customer_features"),
    )
