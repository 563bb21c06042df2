// Loaded by mocha before any test. Keeps native libraries quiet; nothing else is shared between tests.
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
