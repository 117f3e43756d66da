import { describe, expect, test } from 'vitest'
import { type Machine, missingPackages, requirePython } from '../../../scripts/localstack/requirements.ts'

const machine = (
  commands: Readonly<Record<string, string | undefined>>,
  more: Partial<Machine> = {},
): Machine => ({
  platform: 'linux-x64',
  output: (command) => commands[command],
  pythons: [],
  ...more,
})

const ALL = { 'python3.13': '', java: 'openjdk 17.0.15 2025-04-15\n', mvn: 'Apache Maven 3.8.7' }

describe('the Python that LocalStack runs on', () => {
  test('is python3.13, or else a python3 of that version', () => {
    expect(requirePython(machine({ ...ALL, python3: '' }))).toBe('python3.13')
    expect(requirePython(machine({ ...ALL, 'python3.13': undefined, python3: '' }))).toBe('python3')
  })

  test('may be outside the search path', () => {
    const found = machine(
      { ...ALL, '/versions/3.13.0/bin/python3': '' },
      { pythons: ['/versions/3.13.0/bin/python3'] },
    )
    expect(requirePython(found)).toBe('/versions/3.13.0/bin/python3')
  })

  test('is never one that does not run, such as a shim without a version', () => {
    expect(
      requirePython(machine({ ...ALL, 'python3.13': undefined, python3: '' }, { pythons: ['shim'] })),
    ).toBe('python3')
  })
})

describe('the missing requirements are listed in one line:', () => {
  test.each([
    ['Java', { ...ALL, java: undefined }, 'LocalStack without Docker needs Java 17 or newer;'],
    [
      'a newer Java',
      { ...ALL, java: 'openjdk 11.0.2 2019' },
      'LocalStack without Docker needs Java 17 or newer;',
    ],
    ['Maven', { ...ALL, mvn: undefined }, 'LocalStack without Docker needs Maven;'],
    ['Python', { ...ALL, 'python3.13': undefined }, 'LocalStack without Docker needs Python 3.13 with venv'],
  ])('%s', (_, commands, message) => {
    expect(() => requirePython(machine(commands))).toThrow(message)
    expect(() => requirePython(machine(commands))).toThrow(/^[^\n]*$/)
  })

  test('everything', () => {
    expect(() => requirePython(machine({}, { platform: 'darwin-arm64' }))).toThrow(
      /Linux on x64, Python 3\.13 .*, Java 17 or newer, Maven; npm run ministack needs only Python 3$/,
    )
  })
})

describe('the Debian packages to install', () => {
  test('are none on a machine that has everything', () => {
    expect(missingPackages(machine(ALL))).toEqual([])
  })

  test('are those of the missing requirements', () => {
    expect(missingPackages(machine({ ...ALL, mvn: undefined }))).toEqual(['maven'])
    expect(missingPackages(machine({}))).toEqual([
      'python3.13',
      'python3.13-venv',
      'default-jre-headless',
      'maven',
    ])
  })
})
