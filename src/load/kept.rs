//! What isobar's platform tells of its keep-alive policy, out of the text that it has for Prometheus.

use crate::record::Kept;

/// The account of a policy; nothing where the text has none.
pub fn kept(metrics: &str) -> Option<Kept> {
    let value = |name: &str| {
        metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse::<f64>().ok())
    };
    let count = |name: &str| value(name).map(|value| value as u64);
    let policy =
        metrics.lines().find_map(|line| line.strip_prefix("isobar_keep_alive{policy=\"")?.split('"').next())?;
    Some(Kept {
        policy: policy.to_owned(),
        evictions: count("isobar_evictions_total")?,
        prewarm_loads: count("isobar_prewarm_loads_total")?,
        idle_module_seconds: value("isobar_idle_module_seconds_total")?,
        resident_modules: count("isobar_resident_modules")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP isobar_evictions_total Modules that the rule released\n\
                        # TYPE isobar_evictions_total counter\n\
                        isobar_evictions_total 3\nisobar_idle_module_seconds_total 1.5e3\n\
                        isobar_keep_alive{policy=\"fixed:10m\"} 1\nisobar_prewarm_loads_total 0\nisobar_resident_modules 2\n";

    #[test]
    fn the_account_is_found() {
        let expected = Kept {
            policy: "fixed:10m".into(),
            evictions: 3,
            prewarm_loads: 0,
            idle_module_seconds: 1500.0,
            resident_modules: 2,
        };
        assert_eq!(kept(TEXT), Some(expected));
        assert_eq!(kept(&TEXT.replace("isobar_keep_alive", "other")), None);
        assert_eq!(kept(&TEXT.replace("\nisobar_resident_modules 2", "")), None);
        assert_eq!(kept(""), None);
    }
}
