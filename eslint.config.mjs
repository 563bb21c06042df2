import tseslint from 'typescript-eslint';
import { floorsRule } from './scripts/lint/floors.mjs';

export default tseslint.config(
  { ignores: ['dist/', '.build/', 'runs/', 'node_modules/', 'kernels/'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    plugins: { house: { rules: { floors: floorsRule } } },
    rules: {
      'house/floors': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-explicit-any': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness comes from a RandomStream that was passed in.' },
      ],
      'prefer-const': 'error',
    },
  },
  {
    files: ['src/**/*.ts', 'pipelines/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          // A single value that is read out, `dataSync()[0]`, may pass.
          selector:
            'CallExpression[callee.property.name="tidy"] :not(MemberExpression) > CallExpression[callee.property.name=/^(data|array)Sync$/]',
          message:
            'An array that goes through tidy is walked value by value: takeValues (src/runtime/take-values.ts) reads it outside.',
        },
      ],
    },
  },
);
